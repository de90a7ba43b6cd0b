"""The waterfall between two days: its bars, and the databases and tables in them. `guesses.py` says which are probably one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

from whalefall_pipelines.growth.guesses import Guess, GuessKind


class Bar(StrEnum):
    """Why a database changes the total, in the order of the waterfall.

    `renamed` and `moved` are guesses, which only people are shown; the last two are of totals with held sizes only.
    """

    JOINED = "joined"
    LEFT = "left"
    BIRTH = "birth"
    DEATH = "death"
    RENAMED = "renamed"
    MOVED = "moved"
    GROWTH = "growth"
    SHRINK = "shrink"
    MEASURE_CHANGED = "measure_changed"
    GAP_OPENED = "gap_opened"
    GAP_CLOSED = "gap_closed"
    FIRST_KNOWN = "first_known"
    NO_LONGER_KNOWN = "no_longer_known"


ORDER = tuple(Bar)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class BarSum:
    """One bar of the fleet or of a group. With `is_held` missing databases have their last known size.

    `estimated_bytes` is the part of the change of which one end is estimated, `step_bytes` that of growth and shrink that came by
    confirmed steps.
    """

    group_name: str | None
    bar: Bar
    is_held: bool
    databases: int
    change_bytes: int
    estimated_bytes: int
    step_bytes: int

    @property
    def trend_bytes(self) -> int:
        """What of the change came by no confirmed step."""
        return self.change_bytes - self.step_bytes


@dataclass(frozen=True, slots=True)
class DatabaseBar:
    """One database and its bar; a size is None on a day on which it has none. `name_before` is its former name, if it was renamed.

    `step_bytes` is the part of growth or shrink that came by confirmed steps.
    """

    instance_id: int
    instance_name: str
    engine: str
    tags: Mapping[str, Any]
    database_id: int | None
    database_name: str
    name_before: str | None
    bar: Bar
    change_bytes: int
    first_bytes: int | None
    last_bytes: int | None
    is_estimated: bool
    step_bytes: int


@dataclass(frozen=True, slots=True)
class TableChange:
    """A table behind the change of a database, between the days on which its tables were read; None where no table changed.

    `whole_change` is the change of all tables, and of what belongs to none.
    """

    instance_id: int
    database_name: str
    first_read: date
    last_read: date
    whole_change: int
    schema_name: str | None
    table_name: str | None
    change_bytes: int | None
    is_new: bool | None
    is_gone: bool | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the databases of a group cost in a month at their size of the last day, and how much more than at that of the first.

    None where a database has no price.
    """

    group_name: str | None
    total_bytes: int
    monthly: Decimal | None
    monthly_change: Decimal | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why the fleet is larger or smaller on the last day than on the first: bars of the fleet, and of its groups if any were asked for."""

    first_day: date
    last_day: date
    first_bytes: int
    last_bytes: int
    bars: tuple[BarSum, ...]
    groups: tuple[BarSum, ...] = ()
    databases: tuple[DatabaseBar, ...] = ()
    guesses: tuple[Guess, ...] = ()
    tables: tuple[TableChange, ...] = ()
    costs: tuple[Cost, ...] = ()

    @property
    def change_bytes(self) -> int:
        """The growth of the stored totals."""
        return self.last_bytes - self.first_bytes

    @property
    def exact(self) -> tuple[BarSum, ...]:
        """The bars that add up to the growth of the stored totals."""
        return tuple(bar for bar in self.bars if not bar.is_held)

    @property
    def waterfall(self) -> tuple[BarSum, ...]:
        """The same as people see it: what was probably renamed or moved has a bar of its own."""
        return with_guesses(self.exact, self.guesses)

    @property
    def held(self) -> tuple[BarSum, ...]:
        """The bars of the totals in which a missing database has its last known size."""
        return tuple(bar for bar in self.bars if bar.is_held)

    @property
    def other_bytes(self) -> int:
        """The change of the databases that are not listed."""
        return self.change_bytes - sum(database.change_bytes for database in self.databases)


def total_bars(groups: Iterable[BarSum]) -> tuple[BarSum, ...]:
    """The bars of the fleet, which are the sums of those of its groups, in the order of the waterfall."""
    sums: dict[tuple[bool, Bar], BarSum] = {}
    for group in groups:
        before = sums.get((group.is_held, group.bar), BarSum(None, group.bar, group.is_held, 0, 0, 0, 0))
        sums[group.is_held, group.bar] = BarSum(
            None,
            group.bar,
            group.is_held,
            before.databases + group.databases,
            before.change_bytes + group.change_bytes,
            before.estimated_bytes + group.estimated_bytes,
            before.step_bytes + group.step_bytes,
        )
    return tuple(sorted(sums.values(), key=lambda bar: (bar.is_held, ORDER.index(bar.bar))))


def with_guesses(bars: Iterable[BarSum], guesses: Iterable[Guess]) -> tuple[BarSum, ...]:
    """The same bars, but that what was probably renamed or moved is no birth and no death: it is in a bar of its own, with its growth."""
    sums = {bar.bar: bar for bar in bars}
    for guess in guesses:
        first, last = guess.first_bytes, guess.last_bytes
        if guess.kind is GuessKind.COPIED or first is None or last is None:
            continue
        _add(sums, Bar.DEATH, -1, first, is_estimated=guess.is_first_estimated)
        _add(sums, Bar.BIRTH, -1, -last, is_estimated=guess.is_last_estimated)
        _add(sums, Bar(guess.kind), 1, last - first, is_estimated=guess.is_first_estimated or guess.is_last_estimated)
    return tuple(sorted((bar for bar in sums.values() if bar.databases), key=lambda bar: ORDER.index(bar.bar)))


def _add(sums: dict[Bar, BarSum], bar: Bar, databases: int, change_bytes: int, *, is_estimated: bool) -> None:
    before = sums.get(bar, BarSum(None, bar, is_held=False, databases=0, change_bytes=0, estimated_bytes=0, step_bytes=0))
    sums[bar] = replace(
        before,
        databases=before.databases + databases,
        change_bytes=before.change_bytes + change_bytes,
        estimated_bytes=before.estimated_bytes + (change_bytes if is_estimated else 0),
    )


def in_cents(amounts: Sequence[Decimal]) -> list[Decimal]:
    """These amounts in whole cents, which add up to the cents of their sum: the largest remainders are rounded up."""
    floors = [amount.quantize(CENT, ROUND_FLOOR) for amount in amounts]
    missing = int((sum(amounts, Decimal()).quantize(CENT) - sum(floors, Decimal())) / CENT)
    by_remainder = sorted(range(len(amounts)), key=lambda place: (floors[place] - amounts[place], place))
    for place in by_remainder[:missing]:
        floors[place] += CENT
    return floors
