"""Table partitions: which calendar month a day is stored in, and what is to be done with those that there are, as data.

Reading the catalogue and carrying a plan out are `store/table_partitions.py` and `services/maintain_table_partitions.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

STATS_TABLES = ("database_size_stats", "instance_size_stats")
AGGREGATION_TABLES = ("database_size_aggregations", "instance_size_aggregations")
PARTITIONED_TABLES = (*STATS_TABLES, *AGGREGATION_TABLES)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month."""

    year: int
    month: int

    @property
    def first_day(self) -> date:
        """The first day, inclusive."""
        return date(self.year, self.month, 1)

    @property
    def end_day(self) -> date:
        """The first day of the next month, exclusive."""
        return self.plus(1).first_day

    @property
    def last_day(self) -> date:
        """The last day, inclusive."""
        return self.end_day - timedelta(days=1)

    def plus(self, months: int) -> "Month":
        """The month so many months later, or earlier."""
        years, index = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(years, index + 1)

    def table_partition(self, table_name: str) -> str:
        """The name of this month's part of a table."""
        return f"{table_name}_{self.year:04d}_{self.month:02d}"

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.year:04d}-{self.month:02d}"


def months_of(days: Iterable[date]) -> tuple[Month, ...]:
    """The months in which these days lie, in order."""
    return tuple(sorted({Month(day.year, day.month) for day in days}))


def months_between(first: Month, last: Month) -> tuple[Month, ...]:
    """Every month from one to the other, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(first.plus(number) for number in range(count))


class Place(StrEnum):
    """Where a table of the catalogue stands."""

    ATTACHED = "attached"
    DETACH_PENDING = "detach pending"
    DETACHED = "detached"  # by an upkeep that was interrupted before it dropped the table; it left its mark
    STRAY = "stray"  # it has the name of a month and is no part of the table


@dataclass(frozen=True, slots=True)
class TablePartition:
    """One table of the catalogue. The days are its bounds, None where they are no two days; `rows` is PostgreSQL's estimate."""

    table_name: str
    schema_name: str
    name: str
    place: Place
    first_day: date | None
    end_day: date | None
    total_bytes: int
    rows: int | None
    is_plain: bool = True

    @property
    def month(self) -> Month | None:
        """The month that it holds; None when its bounds are not exactly one."""
        if self.first_day is None or self.end_day is None or not self.is_plain:
            return None
        month = Month(self.first_day.year, self.first_day.month)
        return month if (month.first_day, month.end_day) == (self.first_day, self.end_day) else None

    def overlaps(self, month: Month) -> bool:
        """Whether days of the month lie in it. None are known to lie in what has no bounds, such as a default partition."""
        if self.first_day is None and self.end_day is None:
            return False
        begins_before_end = self.first_day is None or self.first_day < month.end_day
        return begins_before_end and (self.end_day is None or self.end_day > month.first_day)


@dataclass(frozen=True, slots=True)
class UpkeepRules:
    """How many months are made ahead, and how many full months before the running one are kept."""

    months_ahead: int
    stats_retention_months: int
    aggregation_retention_months: int

    def retention_months(self, table_name: str) -> int:
        """The retention of a table."""
        return self.stats_retention_months if table_name in STATS_TABLES else self.aggregation_retention_months


class StepKind(StrEnum):
    """What is to be done: a created month may be one that was detached and is attached again; what is held or foreign is only named."""

    CREATE = "create"
    KEEP = "keep"
    EXPIRE = "expire"
    HOLD = "hold"
    FINALIZE = "finalize"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, with its reason; `found` is what the catalogue has, None for what is to be created."""

    kind: StepKind
    table_name: str
    name: str
    month: Month | None
    why: str
    found: TablePartition | None = None
    drops: bool = False


_NONE: Mapping[Month, str] = MappingProxyType({})


def plan_upkeep(
    found: Sequence[TablePartition],
    rules: UpkeepRules,
    today: date,
    needed: Iterable[Month] = (),
    held: Mapping[Month, str] = _NONE,
) -> tuple[Step, ...]:
    """What there is to do on this day, the tables in their order and each from its oldest month on.

    `needed` are months that something is about to write, or missed when it wrote; `held` are months of sizes that must not go yet, and why.
    """
    this = Month(today.year, today.month)
    wanted = dict.fromkeys(needed, "something writes it") | {this: "the running month"}
    wanted |= dict.fromkeys(months_between(this.plus(1), this.plus(rules.months_ahead)), "ahead of time")
    steps: list[Step] = []
    for table_name in PARTITIONED_TABLES:
        own = [one for one in found if one.table_name == table_name]
        oldest_kept = this.plus(-rules.retention_months(table_name))
        kept_back = held if table_name in STATS_TABLES else _NONE
        done = [*_steps_of_what_is(own, oldest_kept, kept_back), *_steps_of_what_lacks(table_name, own, oldest_kept, this, wanted)]
        steps += sorted(done, key=lambda step: (step.month or Month(0, 1), step.name))
    return tuple(steps)


def dropped_by(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps at whose end a table is gone."""
    return tuple(step for step in steps if step.drops)


def added_by(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps at whose end a table has a month that it lacked."""
    return tuple(step for step in steps if step.kind is StepKind.CREATE or (step.kind is StepKind.FINALIZE and not step.drops))


def droppable_sizes(steps: Iterable[Step]) -> tuple[Month, ...]:
    """The months whose sizes are in a table and go with these steps: nothing can be computed from them afterwards."""
    stored = (step for step in steps if step.drops and step.found and step.found.place is Place.ATTACHED)
    return tuple(sorted({step.month for step in stored if step.month and step.table_name in STATS_TABLES}))


def _steps_of_what_is(own: Sequence[TablePartition], oldest_kept: Month, held: Mapping[Month, str]) -> list[Step]:
    attached = [one for one in own if one.place is Place.ATTACHED]
    overdue = {one: one.month for one in own if one.place is not Place.STRAY and one.month and one.month < oldest_kept}
    if all(one in overdue for one in attached):  # no part would be left of the table
        candidates = attached or [one for one in overdue if one.place is Place.DETACH_PENDING]
        stays = max(candidates, key=lambda one: str(one.month), default=None)
        overdue = {one: month for one, month in overdue.items() if one is not stays}
    steps: list[Step] = []
    for one in own:
        month = one.month
        has_rival = one.place is Place.DETACHED and month is not None and any(other.overlaps(month) for other in attached)
        is_held = one.place is Place.ATTACHED and one in overdue and month in held
        kind, why = _judge(one, oldest_kept, is_overdue=one in overdue, has_rival=has_rival)
        if month and is_held:
            kind, why = StepKind.HOLD, held[month]
        steps.append(Step(kind, one.table_name, one.name, month, why, one, drops=one in overdue and not is_held))
    return steps


def _judge(one: TablePartition, oldest_kept: Month, *, is_overdue: bool, has_rival: bool) -> tuple[StepKind, str]:
    if one.place is Place.STRAY or one.month is None:
        return StepKind.FOREIGN, _why_foreign(one)
    if one.place is Place.DETACH_PENDING:
        return StepKind.FINALIZE, "its detach was interrupted: it is ended and the month " + ("dropped" if is_overdue else "attached again")
    if is_overdue:
        only_the_drop = one.place is Place.DETACHED
        return StepKind.EXPIRE, "an interrupted upkeep left only the drop" if only_the_drop else f"all of it is older than {oldest_kept}"
    if one.place is Place.DETACHED:
        if has_rival:
            return StepKind.FOREIGN, "an interrupted upkeep detached it and another one has its month: attach its rows, or drop it"
        return StepKind.CREATE, "an interrupted upkeep detached it and it is within the retention: attached again"
    return StepKind.KEEP, "the last one is never dropped" if one.month < oldest_kept else "within the retention"


def _why_foreign(one: TablePartition) -> str:
    if one.place is Place.STRAY:
        return "it has the name of a month and is no part of the table: rename it or drop it"
    if not one.is_plain:
        return "it is divided further or lies on another server: it is left alone"
    bounds = f"{one.first_day or 'open'} to {one.end_day or 'open'} (exclusive)"
    return f"its bounds are {bounds} and not one calendar month: it is left alone"


def _steps_of_what_lacks(
    table_name: str, own: Sequence[TablePartition], oldest_kept: Month, this: Month, wanted: dict[Month, str]
) -> list[Step]:
    present = {one.month for one in own if one.month and one.place is not Place.STRAY}
    first = min(month for month in {*present, *wanted} if month >= oldest_kept)
    reasons = dict.fromkeys(months_between(first, this), "a hole between months that exist") | wanted
    lacking = {month: why for month, why in reasons.items() if month >= oldest_kept and month not in present}
    return [_creation(table_name, own, month, why) for month, why in sorted(lacking.items())]


def _creation(table_name: str, own: Sequence[TablePartition], month: Month, why: str) -> Step:
    name = month.table_partition(table_name)
    in_the_way = next((one for one in own if one.name == name or (one.place is Place.ATTACHED and one.overlaps(month))), None)
    if in_the_way is None:
        return Step(StepKind.CREATE, table_name, name, month, why)
    why = f"{month} cannot be made: {in_the_way.schema_name}.{in_the_way.name} is in its way"
    return Step(StepKind.FOREIGN, table_name, name, month, why)
