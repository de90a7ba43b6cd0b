"""The waterfall between two days: its bars, the databases and tables in them, and which of them are probably one under two names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any


class Bar(StrEnum):
    """Why a database changes the total, in the order of the waterfall. The last two are of totals with held sizes only."""

    JOINED = "joined"
    LEFT = "left"
    BIRTH = "birth"
    DEATH = "death"
    GROWTH = "growth"
    SHRINK = "shrink"
    MEASURE_CHANGED = "measure_changed"
    GAP_OPENED = "gap_opened"
    GAP_CLOSED = "gap_closed"
    FIRST_KNOWN = "first_known"
    NO_LONGER_KNOWN = "no_longer_known"


ORDER = tuple(Bar)
CENT = Decimal("0.01")
# What a database may have grown or shrunk by while it was renamed, and how many days may lie between its two names.
_RENAME_BYTES, _RENAME_SHARE, _RENAME_DAYS = 64 * 2**20, 100, 3


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
class Coming:
    """A database that is there on one of two days only, with its first size if it is a birth, else with its last one."""

    instance_id: int
    instance_name: str
    database_name: str
    is_birth: bool
    stat_date: date
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Rename:
    """A death and a birth that are probably one database. It is a guess, which changes no bar."""

    instance_name: str
    name_before: str
    database_name: str
    change_bytes: int


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
    renames: tuple[Rename, ...] = ()
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


def guess_renames(comings: Sequence[Coming]) -> tuple[Rename, ...]:
    """Pairs of a death and a birth on one instance, at most three days apart and of about one size, each the other's best match."""
    births = [coming for coming in comings if coming.is_birth]
    pairs = sorted(
        (
            (abs(birth.total_bytes - death.total_bytes), death, birth)
            for death in comings
            if not death.is_birth
            for birth in births
            if birth.instance_id == death.instance_id and _may_be_one(death, birth)
        ),
        key=lambda pair: (pair[0], pair[1].database_name, pair[2].database_name),
    )
    best_birth, best_death = dict[Coming, Coming](), dict[Coming, Coming]()
    for _, death, birth in pairs:
        best_birth.setdefault(death, birth)
        best_death.setdefault(birth, death)
    return tuple(
        Rename(birth.instance_name, death.database_name, birth.database_name, birth.total_bytes - death.total_bytes)
        for death, birth in best_birth.items()
        if best_death[birth] == death
    )


def _may_be_one(death: Coming, birth: Coming) -> bool:
    days = (birth.stat_date - death.stat_date).days
    return 0 < days <= _RENAME_DAYS and abs(birth.total_bytes - death.total_bytes) <= max(_RENAME_BYTES, death.total_bytes // _RENAME_SHARE)


def in_cents(amounts: Sequence[Decimal]) -> list[Decimal]:
    """These amounts in whole cents, which add up to the cents of their sum: the largest remainders are rounded up."""
    floors = [amount.quantize(CENT, ROUND_FLOOR) for amount in amounts]
    missing = int((sum(amounts, Decimal()).quantize(CENT) - sum(floors, Decimal())) / CENT)
    by_remainder = sorted(range(len(amounts)), key=lambda place: (floors[place] - amounts[place], place))
    for place in by_remainder[:missing]:
        floors[place] += CENT
    return floors
