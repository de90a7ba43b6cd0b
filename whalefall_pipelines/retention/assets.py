"""Maintenance of the table partitions in Dagster: the asset that creates them, its checks, the job that drops them, and the sensor for
urgent repairs.

The work is done in `maintain_table_partitions.py`; the schedules are in `schedules.py`.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from whalefall_pipelines.areas import partitioned_table_names
from whalefall_pipelines.dagster_base.metadata import (
    MOST_ROWS,
    Metadata,
    exact_bytes,
    gigabytes,
    markdown_table,
    session_metadata,
    shown_size,
)
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.sessions import SessionStatus, SyncCategory
from whalefall_pipelines.retention import maintain_table_partitions as maintenance
from whalefall_pipelines.retention.maintenance import Step, StepKind, added_by, dropped_by
from whalefall_pipelines.retention.store.table_partitions import find_refused_maintenance
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database

ASSET = dg.AssetKey("table_partitions")
CONCURRENCY_GROUP = {"whalefall/concurrency_group": "maintenance"}
RETRY_NUMBER_TAG = "whalefall/maintenance_retry"
# Expiring may take a week: a lock may delay it, and a person may have to confirm it.
OVERDUE_AFTER = timedelta(days=7)
STEP_COLUMNS = ("name", "step", "size", "rows", "why")

CHECKS = {
    "every_month_in_use_exists": "Fails if a month that has or receives data has no table partition.",
    "enough_months_ahead": "Fails if one of the WHALEFALL_PARTITIONS_AHEAD months ahead is missing.",
    "nothing_is_overdue": "Warns if a month is more than a week overdue for dropping.",
    "nothing_is_held_back": "Warns if an overdue month is kept because its periods are not computed, and shows the commands that "
    "compute them.",
    "no_detach_is_pending": "Fails if a detach was interrupted, because queries then miss the rows of that month.",
    "nothing_conflicts": "Fails if a table conflicts with a month, or a table partition is not exactly one calendar month.",
}


@dg.asset(
    key=ASSET,
    group_name="maintenance",
    description="The monthly table partitions of the four big tables: existing, upcoming, overdue and conflicting ones.\n\n"
    "Materializing it creates missing months and drops nothing. Only the job `expire_table_partitions` drops months.",
    kinds={"postgres", "python"},
    owners=["team:dba"],
    tags={"grain": "table-month"},
    check_specs=[dg.AssetCheckSpec(name, asset=ASSET, description=description) for name, description in CHECKS.items()],
)
def table_partitions(
    context: dg.AssetExecutionContext, whalefall: WhalefallResource
) -> Generator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    settings = whalefall.installation()
    day = whalefall.today()
    session_id, steps = _maintain(context, whalefall, lambda database: maintenance.create_table_partitions(database, settings, day))
    yield dg.MaterializeResult(metadata={**_metadata(steps, day), **session_metadata(session_id)})
    yield from _checks(steps, settings, day)


create_table_partitions = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "create_table_partitions",
    selection=dg.AssetSelection.assets(ASSET),
    description="Creates the current month and the months ahead, and fills holes between months. Drops nothing.",
    tags=CONCURRENCY_GROUP,
)


@dg.op(description="Archives and drops the months older than their retention, and reports the rest in the asset `table_partitions`.")
def drop_expired_months(context: dg.OpExecutionContext, whalefall: WhalefallResource) -> None:
    settings = whalefall.installation()
    day = whalefall.today()
    session_id, steps = _maintain(context, whalefall, lambda database: maintenance.expire_table_partitions(database, settings, day))
    context.log_event(dg.AssetObservation(ASSET, metadata={**_metadata(steps, day), **session_metadata(session_id)}))
    for check in _checks(steps, settings, day):
        context.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=ASSET,
                check_name=str(check.check_name),
                passed=check.passed,
                metadata=check.metadata,
                severity=check.severity,
                description=check.description,
            )
        )


# The resource is bound here: if Dagster binds it to an op job later, it recreates the sensor and emits a warning.
@dg.job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    description="Archives and drops the months older than their retention. Creates nothing.",
    tags=CONCURRENCY_GROUP,
    resource_defs={"whalefall": WhalefallResource()},
)
def expire_table_partitions() -> None:
    drop_expired_months()


def _maintain(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    whalefall: WhalefallResource,
    work: Callable[[Database], maintenance.Maintenance],
) -> tuple[str, Sequence[Step]]:
    """Do the work of a run in a session, which fails with the code of the first unfinished step; return its id and the remaining steps."""
    with whalefall.store() as database:
        session = plan_session(context, database, SyncCategory.PARTITION, [whalefall.today()])
        with session_of_run(context, database, session, []):
            done = work(database)
            for outcome in done.outcomes:
                what = f"{outcome.step.kind} {outcome.step.name}"
                if outcome.error:
                    context.log.warning("%s: %s", what, outcome.error)
                else:
                    context.log.info("%s%s", what, f", archived as {outcome.archive}" if outcome.archive else "")
            if done.error:
                code, message = done.error.code, str(done.error)
                sessions.abandon_session(database, session.session_id, SessionStatus.FAILED, error_code=code, error_message=message)
    return str(session.session_id), done.steps


def _checks(steps: Sequence[Step], settings: Settings, day: date) -> list[dg.AssetCheckResult]:
    current_month, rules = Month(day.year, day.month), maintenance.rules(settings)
    missing = [step for step in steps if step.table_partition is None and step.month]
    overdue = [step for step in dropped_by(steps) if step.month and rules.is_overdue(step.table_name, step.month, day - OVERDUE_AFTER)]
    return [
        _check("every_month_in_use_exists", [step for step in missing if step.month and step.month <= current_month]),
        _check("enough_months_ahead", [step for step in missing if step.month and step.month > current_month]),
        _check("nothing_is_overdue", overdue, dg.AssetCheckSeverity.WARN),
        _check("nothing_is_held_back", [step for step in steps if step.kind is StepKind.HOLD], dg.AssetCheckSeverity.WARN),
        _check("no_detach_is_pending", [step for step in steps if step.kind is StepKind.FINALIZE]),
        _check("nothing_conflicts", [step for step in steps if step.kind is StepKind.CONFLICT]),
    ]


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    jobs=[create_table_partitions, expire_table_partitions],
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Repairs missing months and interrupted detaches within minutes. An expiry that was blocked by a lock is retried the same "
    "day (WHALEFALL_RETRY_MINUTES).",
)
def missing_table_partitions(context: dg.SensorEvaluationContext, whalefall: WhalefallResource) -> Generator[dg.RunRequest | dg.SkipReason]:
    settings = whalefall.installation()
    with whalefall.store() as database:
        steps = maintenance.plan_additions(database, settings, whalefall.today())
        retries = list(_retry(context.instance, database, settings, whalefall.now()))
    hour = f"{whalefall.now():%Y-%m-%dT%H}"
    cut_off = [step for step in dropped_by(steps) if step.kind is StepKind.FINALIZE]
    repairs = [*_repair("create_table_partitions", added_by(steps), hour), *_repair("expire_table_partitions", cut_off, hour)]
    yield from [*repairs, *retries] or [dg.SkipReason("every month exists")]


def _retry(instance: dg.DagsterInstance, database: Database, settings: Settings, now: datetime) -> Iterable[dg.RunRequest]:
    """Retry the last expiry if a lock blocked it: after each pause of WHALEFALL_RETRY_MINUTES, then after the last of them."""
    pauses = settings.of(CollectingSettings).retry_pauses
    for run in instance.get_runs(dg.RunsFilter(job_name=expire_table_partitions.name), limit=1):
        refused_at = find_refused_maintenance(database, run.run_id)
        number = int(run.tags.get(RETRY_NUMBER_TAG, 0))
        pause = pauses[min(number, len(pauses) - 1)]
        if refused_at and refused_at + pause <= now:
            tags = {RETRY_NUMBER_TAG: str(number + 1)}
            yield dg.RunRequest(run_key=f"after-{run.run_id}", job_name=expire_table_partitions.name, tags=tags)


def _repair(job_name: str, steps: Sequence[Step], hour: str) -> Iterable[dg.RunRequest]:
    """A run for these steps: at once, and then once an hour until they are done."""
    if steps:
        names = hashlib.sha256("\n".join(step.name for step in steps).encode()).hexdigest()[:16]
        yield dg.RunRequest(run_key=f"{job_name}-{hour}-{names}", job_name=job_name)


def _check(name: str, steps: Sequence[Step], severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR) -> dg.AssetCheckResult:
    more = f" and {len(steps) - 3} more" if len(steps) > 3 else ""
    description = "; ".join(f"{step.name}: {step.why}" for step in steps[:3]) + more
    return dg.AssetCheckResult(
        asset_key=ASSET,
        check_name=name,
        passed=not steps,
        severity=severity,
        description=description or "in order",
        metadata={"count": len(steps), **markdown_table("table partitions", STEP_COLUMNS, map(_step_row, steps[:MOST_ROWS]))},
    )


def _metadata(steps: Sequence[Step], day: date) -> Metadata:
    existing = [step.table_partition for step in steps if step.table_partition and step.kind is not StepKind.CONFLICT]
    total_bytes = sum(table_partition.total_bytes for table_partition in existing)
    counts: Mapping[str, Callable[[Step], bool]] = {
        "to_create": lambda step: step.kind is StepKind.CREATE,
        "overdue": lambda step: step.drops,
        "held_back": lambda step: step.kind is StepKind.HOLD,
        "detach_pending": lambda step: step.kind is StepKind.FINALIZE,
        "conflicts": lambda step: step.kind is StepKind.CONFLICT,
    }
    return {
        "table_partitions": len(existing),
        **gigabytes(total_gb=total_bytes),
        **{name: sum(map(belongs, steps)) for name, belongs in counts.items()},
        **_coming(steps, Month(day.year, day.month)),
        **markdown_table("table partitions", STEP_COLUMNS, [_step_row(step) for step in steps[-MOST_ROWS:]]),
        **exact_bytes(total_bytes=total_bytes),
    }


def _coming(steps: Sequence[Step], current_month: Month) -> Metadata:
    present = {(step.table_name, step.month) for step in steps if step.table_partition}
    months = [current_month.plus(number) for number in (1, 2, 3)]
    tables = partitioned_table_names()
    rows = [(month, *("exists" if (table_name, month) in present else "missing" for table_name in tables)) for month in months]
    return markdown_table("next three months", ("month", *tables), rows)


def _step_row(step: Step) -> tuple[object, ...]:
    known = (shown_size(step.table_partition.total_bytes), step.table_partition.rows) if step.table_partition else (None, None)
    return (step.name, step.kind, *known, step.why)
