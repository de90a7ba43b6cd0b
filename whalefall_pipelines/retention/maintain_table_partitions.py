"""Maintenance of the table partitions: creating missing months and expiring overdue months are two separate operations.

`maintenance.py` makes the plan; the statements are in `store/months.py` and `retention/store/`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.areas import partitioned_tables
from whalefall_pipelines.domain.months import Content, Month, TablePartition
from whalefall_pipelines.errors import InputError, StoreBusyError, StoreError, StoreUnreachableError, WhalefallError
from whalefall_pipelines.retention.archive import archive_month, check_archive
from whalefall_pipelines.retention.hold_months import find_held_months
from whalefall_pipelines.retention.maintenance import (
    NOTHING_HELD,
    MaintenanceRules,
    Step,
    StepKind,
    added_by,
    droppable_days,
    dropped_by,
    expired_by,
    plan_maintenance,
)
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.retention.store.table_partition_rows import months_with_days, prune
from whalefall_pipelines.retention.store.table_partitions import attach_again, detach, drop_detached, needed_months, only_maintenance
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import LOCK_POLICY, LockPolicy, ensure_month, read_catalogue


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step that was done or attempted. With an error it is left for the next maintenance."""

    step: Step
    error: WhalefallError | None = None
    archive: Path | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The outcomes of one maintenance, and the remaining steps."""

    outcomes: tuple[Outcome, ...]
    steps: tuple[Step, ...]

    @property
    def error(self) -> WhalefallError | None:
        """All errors as one. An error that a later maintenance may resolve by itself determines the code."""
        errors = [(outcome.step.name, outcome.error) for outcome in self.outcomes if outcome.error]
        if not errors:
            return None
        kind = min((error for _, error in errors), key=lambda error: not error.is_transient)
        return type(kind)("; ".join(f"{name}: {error}" for name, error in errors))


def plan(database: Database, settings: Settings, day: date, months: Iterable[Month] = ()) -> tuple[Step, ...]:
    """Plan the maintenance of this day. `months` are needed in addition to those that a write could not find.

    A month of sizes that is due to be dropped is held until all periods are computed from it; checking this reads its rows.
    """
    known = _with_days(database, _known(database, settings, months), day)
    steps = _plan(known, day)
    held = find_held_months(database, droppable_days(steps, known.rules), known.rules.aggregation_retention_months, day)
    return _plan(known, day, held) if held else steps


def plan_additions(database: Database, settings: Settings, day: date, months: Iterable[Month] = ()) -> tuple[Step, ...]:
    """Plan without checking whether months may be dropped. It takes milliseconds and shows which months are missing."""
    return _plan(_known(database, settings, months), day)


def create_table_partitions(
    database: Database, settings: Settings, day: date, months: Iterable[Month] = (), *, lock_policy: LockPolicy = LOCK_POLICY
) -> Maintenance:
    """Create missing months and reattach those that an interrupted detach left within the retention, one by one; nothing is dropped.

    Raises:
        StoreBusyError: another maintenance is running.
        StoreUnreachableError: the store is unavailable.
    """
    with only_maintenance(database):
        steps = plan(database, settings, day, months)
        outcomes = tuple(_create(database, step, lock_policy) for step in added_by(steps))
        return Maintenance(outcomes, _plan_again(database, settings, day, steps) if outcomes else steps)


def expire_table_partitions(
    database: Database,
    settings: Settings,
    day: date,
    *,
    confirmed: Sequence[Step] | None = None,
    beyond_limit: bool = False,
    lock_policy: LockPolicy = LOCK_POLICY,
) -> Maintenance:
    """Drop overdue months, after archiving them if there is an archive folder, and prune the daily aggregations, one by one.

    Months that are locked or held are left for the next maintenance. `confirmed` is the plan that the user saw.

    Raises:
        InputError: more months would be dropped than allowed at once, or others than confirmed; nothing is dropped.
        ArchiveError: archives cannot be written; nothing is dropped.
        StoreBusyError: another maintenance is running.
        StoreUnreachableError: the store is unavailable.
    """
    with only_maintenance(database):
        # PostgreSQL allows at most one pending detach per table, so an interrupted one is finished first.
        steps = sorted(plan(database, settings, day), key=lambda step: step.kind is not StepKind.FINALIZE)
        if confirmed is not None:
            _refuse_another_plan(steps, confirmed)
        refuse_too_many(steps, settings, beyond_limit=beyond_limit)
        archive_dir = settings.of(RetentionSettings).archive_dir
        if archive_dir and dropped_by(steps):
            check_archive(archive_dir)
        outcomes: dict[str, list[Outcome]] = {}
        for step in (step for step in steps if step.drops or step.kind in {StepKind.FINALIZE, StepKind.HOLD, StepKind.PRUNE}):
            done = outcomes.setdefault(step.table_name, [])
            if step.kind is StepKind.HOLD:
                done.append(Outcome(step, InputError(f"{step.name} is kept: {step.why}")))
            elif any(isinstance(outcome.error, StoreBusyError) for outcome in done):
                done.append(Outcome(step, StoreBusyError(f"{step.name} waits for the previous month; the next maintenance retries it.")))
            else:
                done.append(_take(database, step, archive_dir, lock_policy))
        everything = tuple(outcome for done in outcomes.values() for outcome in done)
        return Maintenance(everything, _plan_again(database, settings, day, steps) if everything else tuple(steps))


def refuse_too_many(steps: Iterable[Step], settings: Settings, *, beyond_limit: bool) -> None:
    """Raise InputError if these steps drop more than allowed at once."""
    count, most = len(expired_by(steps)), settings.of(RetentionSettings).expire_at_most
    if count > most and not beyond_limit:
        raise InputError(
            f"{count} table partitions would be dropped or pruned at once, which is more than WHALEFALL_EXPIRE_AT_MOST ({most}), so none "
            "was. Review `whalefall partitions plan`, then run `whalefall partitions expire --yes`."
        )


def _refuse_another_plan(steps: Iterable[Step], confirmed: Iterable[Step]) -> None:
    """Raise InputError unless these steps drop exactly what the confirmed ones do. Bytes and rows may have changed meanwhile."""
    if {step.target for step in expired_by(steps)} != {step.target for step in expired_by(confirmed)}:
        raise InputError("The table partitions changed after the plan was shown, so nothing was dropped. Run the command again.")


def _plan_again(database: Database, settings: Settings, day: date, steps: Iterable[Step]) -> tuple[Step, ...]:
    """Plan the remaining steps. The held months are taken from the previous plan, because finding them reads their rows."""
    held = {step.month: step.why for step in steps if step.kind is StepKind.HOLD and step.month}
    return _plan(_with_days(database, _known(database, settings), day), day, held)


def rules(settings: Settings) -> MaintenanceRules:
    """The numbers of months that are created ahead and kept."""
    kept, ahead = settings.of(KeptMonthsSettings), settings.of(RetentionSettings).partitions_ahead
    return MaintenanceRules(partitioned_tables(), ahead, kept.retention_months, kept.aggregation_retention_months)


@dataclass(frozen=True, slots=True)
class _Known:
    """The input of a plan."""

    table_partitions: tuple[TablePartition, ...]
    rules: MaintenanceRules
    needed: tuple[Month, ...]
    with_days: frozenset[tuple[str, Month]] = frozenset()


def _known(database: Database, settings: Settings, months: Iterable[Month] = ()) -> _Known:
    return _Known(read_catalogue(database), rules(settings), (*needed_months(database), *months))


def _plan(known: _Known, day: date, held: Mapping[Month, str] = NOTHING_HELD) -> tuple[Step, ...]:
    return plan_maintenance(known.table_partitions, known.rules, day, known.needed, held=held, with_days=known.with_days)


def _with_days(database: Database, known: _Known, day: date) -> _Known:
    """The same input, with the months of aggregations whose daily rows are overdue."""
    overdue = {
        name: [
            table_partition.month
            for table_partition in known.table_partitions
            if table_partition.table_name == name and table_partition.month and known.rules.are_days_overdue(table_partition.month, day)
        ]
        for name in known.rules.names(Content.PERIODS)
    }
    table_months = {(name, month) for name, months in overdue.items() for month in months_with_days(database, name, months)}
    return replace(known, with_days=frozenset(table_months))


def _create(database: Database, step: Step, lock_policy: LockPolicy) -> Outcome:
    try:
        if step.table_partition:
            detach(database, step.table_partition, lock_policy)
            attach_again(database, step.table_partition, lock_policy)
        elif step.month:
            ensure_month(database, step.table_name, step.month, lock_policy)
    except StoreUnreachableError:
        raise
    except StoreError as error:
        return Outcome(step, error)
    return Outcome(step)


def _take(database: Database, step: Step, folder: Path | None, lock_policy: LockPolicy) -> Outcome:
    """Do one step of an expiry."""
    if step.kind is StepKind.PRUNE:
        return _prune(database, step, lock_policy)
    return _expire(database, step, folder, lock_policy) if step.drops else _create(database, step, lock_policy)


def _prune(database: Database, step: Step, lock_policy: LockPolicy) -> Outcome:
    try:
        if step.table_partition and step.month:
            prune(database, step.table_partition, step.month, lock_policy)
    except StoreUnreachableError:
        raise
    except StoreError as error:
        return Outcome(step, error)
    return Outcome(step)


def _expire(database: Database, step: Step, folder: Path | None, lock_policy: LockPolicy) -> Outcome:
    table_partition = step.table_partition
    if table_partition is None:
        return Outcome(step)
    archive = None
    try:
        detach(database, table_partition, lock_policy)
        archive = _archive(database, table_partition, folder, lock_policy) if folder else None
        drop_detached(database, table_partition, lock_policy)
    except StoreUnreachableError:
        raise
    except WhalefallError as error:
        return Outcome(step, error, archive)
    return Outcome(step, archive=archive)


def _archive(database: Database, table_partition: TablePartition, folder: Path, lock_policy: LockPolicy) -> Path:
    """Archive a detached month, to which nobody can write. If that fails, attach it again."""
    try:
        return archive_month(database, table_partition, folder)
    except WhalefallError:
        attach_again(database, table_partition, lock_policy)
        raise
