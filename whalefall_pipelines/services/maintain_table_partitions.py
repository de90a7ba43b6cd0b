"""Upkeep of the table partitions: what is planned, creating what lacks, and expiring what is overdue, as two separate pieces of work.

The plan is made in `domain/table_partitions.py`, the statements are in `store/table_partitions.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from whalefall_pipelines.domain.table_partitions import (
    Month,
    Step,
    StepKind,
    TablePartition,
    UpkeepRules,
    added_by,
    droppable_sizes,
    dropped_by,
    plan_upkeep,
)
from whalefall_pipelines.errors import InputError, StoreBusyError, StoreError, StoreUnreachableError, WhalefallError
from whalefall_pipelines.services.archive_table_partitions import archive_month, check_archive
from whalefall_pipelines.services.hold_months import find_held_months
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.table_partitions import (
    PATIENCE,
    Patience,
    attach_again,
    detach,
    drop_detached,
    ensure_month,
    needed_months,
    only_upkeep,
    read_catalogue,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step that was taken, or tried; with an error it is left for the next upkeep."""

    step: Step
    error: WhalefallError | None = None
    archive: Path | None = None


def plan(database: Database, settings: Settings, day: date, months: Iterable[Month] = ()) -> tuple[Step, ...]:
    """What there is to do on this day. Months that a write missed are known; `months` are more of them.

    A month of sizes that is about to be dropped is held while a period has not been computed from it: asking that reads its rows.
    """
    found, rules, needed = _known(database, settings, months)
    steps = plan_upkeep(found, rules, day, needed)
    held = find_held_months(database, droppable_sizes(steps), settings.aggregation_retention_months, day)
    return plan_upkeep(found, rules, day, needed, held) if held else steps


def plan_additions(database: Database, settings: Settings, day: date, months: Iterable[Month] = ()) -> tuple[Step, ...]:
    """The same without asking whether months may be dropped: a matter of milliseconds, for who wants to know what lacks."""
    found, rules, needed = _known(database, settings, months)
    return plan_upkeep(found, rules, day, needed)


def create_table_partitions(
    database: Database, settings: Settings, day: date, months: Iterable[Month] = (), *, patience: Patience = PATIENCE
) -> tuple[Outcome, ...]:
    """Create what lacks and put back what an interrupted detach left within its retention, each by itself; nothing is dropped.

    Raises:
        StoreBusyError: another upkeep is at work.
        StoreUnreachableError: the store is away.
    """
    with only_upkeep(database):
        return tuple(_create(database, step, patience) for step in added_by(plan_additions(database, settings, day, months)))


def expire_table_partitions(
    database: Database, settings: Settings, day: date, *, beyond_limit: bool = False, patience: Patience = PATIENCE
) -> tuple[Outcome, ...]:
    """Drop what is overdue, archived before where there is a folder for that, each by itself.

    What is locked waits for the next upkeep, and what is held for its periods.

    Raises:
        InputError: more would be dropped than may go at once; nothing is.
        ArchiveError: archives cannot be written; nothing is dropped.
        StoreBusyError: another upkeep is at work.
        StoreUnreachableError: the store is away.
    """
    with only_upkeep(database):
        # PostgreSQL has at most one detach under way in a table, so one that was interrupted is ended first.
        steps = sorted(plan(database, settings, day), key=lambda step: step.kind is not StepKind.FINALIZE)
        refuse_too_many(steps, settings, beyond_limit=beyond_limit)
        if settings.archive_dir and dropped_by(steps):
            check_archive(settings.archive_dir)
        outcomes: dict[str, list[Outcome]] = {}
        for step in (step for step in steps if step.drops or step.kind in {StepKind.FINALIZE, StepKind.HOLD}):
            done = outcomes.setdefault(step.table_name, [])
            if step.kind is StepKind.HOLD:
                done.append(Outcome(step, InputError(f"{step.name} is kept: {step.why}")))
            elif any(isinstance(one.error, StoreBusyError) for one in done):
                done.append(Outcome(step, StoreBusyError(f"{step.name} waits for the one before it; the next upkeep tries again.")))
            else:
                done.append(_expire(database, step, settings.archive_dir, patience) if step.drops else _create(database, step, patience))
        return tuple(outcome for done in outcomes.values() for outcome in done)


def refuse_too_many(steps: Iterable[Step], settings: Settings, *, beyond_limit: bool) -> None:
    """Raise InputError when these steps drop more than may go at once."""
    count = len(dropped_by(steps))
    if count > settings.expire_at_most and not beyond_limit:
        raise InputError(
            f"{count} table partitions would be dropped at once, more than the {settings.expire_at_most} of WHALEFALL_EXPIRE_AT_MOST, so "
            "none was: look at `whalefall partitions plan`, then `whalefall partitions expire --yes`."
        )


def _known(database: Database, settings: Settings, months: Iterable[Month]) -> tuple[tuple[TablePartition, ...], UpkeepRules, list[Month]]:
    rules = UpkeepRules(settings.partitions_ahead, settings.retention_months, settings.aggregation_retention_months)
    return read_catalogue(database), rules, [*needed_months(database), *months]


def _create(database: Database, step: Step, patience: Patience) -> Outcome:
    try:
        if step.found:
            detach(database, step.found, patience)
            attach_again(database, step.found, patience)
        elif step.month:
            ensure_month(database, step.table_name, step.month, patience)
    except StoreUnreachableError:
        raise
    except StoreError as error:
        return Outcome(step, error)
    return Outcome(step)


def _expire(database: Database, step: Step, folder: Path | None, patience: Patience) -> Outcome:
    one = step.found
    if one is None:
        return Outcome(step)
    archive = None
    try:
        detach(database, one, patience)
        archive = _archive(database, one, folder, patience) if folder else None
        drop_detached(database, one, patience)
    except StoreUnreachableError:
        raise
    except WhalefallError as error:
        return Outcome(step, error, archive)
    return Outcome(step, archive=archive)


def _archive(database: Database, one: TablePartition, folder: Path, patience: Patience) -> Path:
    """Archive a month that nobody can write any more; where that fails, it goes back to its place."""
    try:
        return archive_month(database, one, folder)
    except WhalefallError:
        attach_again(database, one, patience)
        raise
