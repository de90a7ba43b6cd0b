"""Plans the maintenance of table partitions: the retention rules, and the steps for existing and missing months, as data.

`maintain_table_partitions.py` applies a plan.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from whalefall_pipelines.domain.months import Content, Month, PartitionedTable, Place, TablePartition, months_between


@dataclass(frozen=True, slots=True)
class MaintenanceRules:
    """How many months of these tables are created ahead, and how many full months before the current one are kept."""

    tables: tuple[PartitionedTable, ...]
    months_ahead: int
    stats_retention_months: int
    aggregation_retention_months: int

    def content(self, table_name: str) -> Content:
        """The content of a table."""
        return next(table.content for table in self.tables if table.name == table_name)

    def names(self, content: Content) -> tuple[str, ...]:
        """The tables with this content."""
        return tuple(table.name for table in self.tables if table.content is content)

    def retention_months(self, content: Content) -> int:
        """The number of months for which this content is kept."""
        return self.aggregation_retention_months if content in {Content.PERIODS, Content.RESULTS} else self.stats_retention_months

    def oldest_kept(self, table_name: str, today: date) -> Month:
        """The oldest month that a table keeps on this day."""
        return self._oldest_month(self.content(table_name), today)

    def oldest_daily(self, today: date) -> Month:
        """The oldest month whose daily aggregations are kept on this day. They are kept as long as the days that they repeat."""
        return self._oldest_month(Content.AGGREGATED_DAYS, today)

    def are_days_overdue(self, month: Month, today: date) -> bool:
        """Whether the daily aggregations of a month are older than their retention on this day."""
        return month < self.oldest_daily(today)

    def is_overdue(self, table_name: str, month: Month, today: date) -> bool:
        """Whether a whole month is older than the retention of a table on this day."""
        return month < self.oldest_kept(table_name, today)

    def _oldest_month(self, content: Content, today: date) -> Month:
        return Month(today.year, today.month).plus(-self.retention_months(content))


class StepKind(StrEnum):
    """The kind of a step. A created month may be a detached one that is attached again. A pruned month loses its daily rows and keeps
    weeks, months and quarters. Held and conflicting months are only reported.
    """

    CREATE = "create"
    KEEP = "keep"
    EXPIRE = "expire"
    PRUNE = "prune"
    HOLD = "hold"
    FINALIZE = "finalize"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan and its reason. `partition` is the existing table in the catalogue, None if it is to be created."""

    kind: StepKind
    table_name: str
    name: str
    month: Month | None
    why: str
    table_partition: TablePartition | None = None
    drops: bool = False

    @property
    def target(self) -> tuple[object, ...]:
        """What is done to which table. Two plans are compared by it."""
        table = self.table_partition and (
            self.table_partition.schema_name,
            self.table_partition.name,
            self.table_partition.place,
            self.table_partition.first_day,
            self.table_partition.end_day,
        )
        return (self.kind, self.table_name, self.name, self.month, table)


NOTHING_HELD: Mapping[Month, str] = MappingProxyType({})
NO_DAYS: Collection[tuple[str, Month]] = frozenset()


def plan_maintenance(
    table_partitions: Sequence[TablePartition],
    rules: MaintenanceRules,
    today: date,
    needed: Iterable[Month] = (),
    *,
    held: Mapping[Month, str] = NOTHING_HELD,
    with_days: Collection[tuple[str, Month]] = NO_DAYS,
) -> tuple[Step, ...]:
    """Plan the steps of this day, table by table, each from its oldest month on.

    `needed` are months that are about to be written, or that were missing when they were. `held` are months of sizes that must not be
    dropped yet, with the reason. `with_days` are months of aggregations that have daily rows.
    """
    current_month = Month(today.year, today.month)
    wanted = dict.fromkeys(needed, "data is written to it") | {current_month: "the current month"}
    wanted |= dict.fromkeys(months_between(current_month.plus(1), current_month.plus(rules.months_ahead)), "ahead of time")
    steps: list[Step] = []
    for table in rules.tables:
        table_name = table.name
        own = [table_partition for table_partition in table_partitions if table_partition.table_name == table_name]
        oldest_kept = rules.oldest_kept(table_name, today)
        kept_back = held if table.content is Content.AGGREGATED_DAYS else NOTHING_HELD
        done = [
            *_steps_of_existing_tables(own, oldest_kept, kept_back),
            *_steps_of_missing_months(table_name, own, oldest_kept, current_month, wanted),
        ]
        expired = {month for name, month in with_days if name == table_name and rules.are_days_overdue(month, today) and month not in held}
        done = [_pruned(step, rules.oldest_daily(today)) if step.month in expired else step for step in done]
        steps += sorted(done, key=lambda step: (step.month or Month(0, 1), step.name))
    return tuple(steps)


def expired_by(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that delete rows: whole months, or the daily rows of a month."""
    return tuple(step for step in steps if step.drops or step.kind is StepKind.PRUNE)


def dropped_by(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that drop a table."""
    return tuple(step for step in steps if step.drops)


def added_by(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that add a missing month to a table."""
    return tuple(step for step in steps if step.kind is StepKind.CREATE or (step.kind is StepKind.FINALIZE and not step.drops))


def droppable_days(steps: Iterable[Step], rules: MaintenanceRules) -> tuple[Month, ...]:
    """The months whose days these steps drop, so that no period can be computed from them afterwards."""
    aggregated = rules.names(Content.AGGREGATED_DAYS)
    stored = (step for step in steps if step.drops and step.table_partition and step.table_partition.place is Place.ATTACHED)
    return tuple(sorted({step.month for step in stored if step.month and step.table_name in aggregated}))


def _steps_of_existing_tables(own: Sequence[TablePartition], oldest_kept: Month, held: Mapping[Month, str]) -> list[Step]:
    attached = [table_partition for table_partition in own if table_partition.place is Place.ATTACHED]
    overdue = {
        table_partition: table_partition.month
        for table_partition in own
        if table_partition.place is not Place.STRAY and table_partition.month and table_partition.month < oldest_kept
    }
    if all(table_partition in overdue for table_partition in attached):  # no table partition would be left
        candidates = attached or [table_partition for table_partition in overdue if table_partition.place is Place.DETACH_PENDING]
        stays = max(candidates, key=lambda table_partition: str(table_partition.month), default=None)
        overdue = {table_partition: month for table_partition, month in overdue.items() if table_partition is not stays}
    steps: list[Step] = []
    for table_partition in own:
        month = table_partition.month
        has_rival = table_partition.place is Place.DETACHED and month is not None and any(other.overlaps(month) for other in attached)
        is_held = table_partition.place is Place.ATTACHED and table_partition in overdue and month in held
        kind, why = _kind_and_reason(table_partition, oldest_kept, is_overdue=table_partition in overdue, has_rival=has_rival)
        if month and is_held:
            kind, why = StepKind.HOLD, held[month]
        steps.append(
            Step(
                kind,
                table_partition.table_name,
                table_partition.name,
                month,
                why,
                table_partition,
                drops=table_partition in overdue and not is_held,
            )
        )
    return steps


def _pruned(step: Step, oldest_daily: Month) -> Step:
    """The step that prunes the daily rows of a month that is kept otherwise."""
    if step.kind is not StepKind.KEEP:
        return step
    return replace(step, kind=StepKind.PRUNE, why=f"its daily rows are older than {oldest_daily}; weeks, months and quarters stay")


def _kind_and_reason(table_partition: TablePartition, oldest_kept: Month, *, is_overdue: bool, has_rival: bool) -> tuple[StepKind, str]:
    if table_partition.place is Place.STRAY or table_partition.month is None:
        return StepKind.CONFLICT, _why_conflict(table_partition)
    if table_partition.place is Place.DETACH_PENDING:
        return StepKind.FINALIZE, "its detach was interrupted: it is finished and the month " + (
            "dropped" if is_overdue else "attached again"
        )
    if is_overdue:
        only_the_drop = table_partition.place is Place.DETACHED
        return (
            StepKind.EXPIRE,
            "an interrupted maintenance detached it, so it is only dropped" if only_the_drop else f"all of it is older than {oldest_kept}",
        )
    if table_partition.place is Place.DETACHED:
        if has_rival:
            return (
                StepKind.CONFLICT,
                "an interrupted maintenance detached it, and another table now has its month; merge its rows into that table, or drop it",
            )
        return StepKind.CREATE, "an interrupted maintenance detached it, but it is within the retention, so it is attached again"
    return StepKind.KEEP, "the last month of a table is never dropped" if table_partition.month < oldest_kept else "within the retention"


def _why_conflict(table_partition: TablePartition) -> str:
    if table_partition.place is Place.STRAY:
        return "it has the name of a month but is not attached to the table; rename it or drop it"
    if not table_partition.is_plain:
        return "it is itself partitioned or a foreign table, so it is left alone"
    bounds = f"{table_partition.first_day or 'open'} to {table_partition.end_day or 'open'} (exclusive)"
    return f"its bounds are {bounds}, which is not one calendar month, so it is left alone"


def _steps_of_missing_months(
    table_name: str, own: Sequence[TablePartition], oldest_kept: Month, current_month: Month, wanted: dict[Month, str]
) -> list[Step]:
    present = {table_partition.month for table_partition in own if table_partition.month and table_partition.place is not Place.STRAY}
    first = min(month for month in {*present, *wanted} if month >= oldest_kept)
    reasons = dict.fromkeys(months_between(first, current_month), "a hole between months that exist") | wanted
    missing = {month: why for month, why in reasons.items() if month >= oldest_kept and month not in present}
    return [_creation(table_name, own, month, why) for month, why in sorted(missing.items())]


def _creation(table_name: str, own: Sequence[TablePartition], month: Month, why: str) -> Step:
    name = month.table_partition(table_name)
    in_the_way = next(
        (
            table_partition
            for table_partition in own
            if table_partition.name == name or (table_partition.place is Place.ATTACHED and table_partition.overlaps(month))
        ),
        None,
    )
    if in_the_way is None:
        return Step(StepKind.CREATE, table_name, name, month, why)
    why = f"{month} cannot be created: {in_the_way.schema_name}.{in_the_way.name} is in its way"
    return Step(StepKind.CONFLICT, table_name, name, month, why)
