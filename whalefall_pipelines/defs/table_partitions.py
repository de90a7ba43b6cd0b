"""Upkeep of the table partitions in Dagster: the asset, its checks, its two jobs, and the sensor that repairs what cannot wait.

The work is `services/maintain_table_partitions.py`; the schedules are in `schedules.py`.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from whalefall_pipelines.defs.checks import MOST_ROWS
from whalefall_pipelines.defs.metadata import Metadata, markdown_table
from whalefall_pipelines.defs.resources import WhalefallResource
from whalefall_pipelines.defs.runs import plan_session, session_of_run
from whalefall_pipelines.domain.sessions import SessionStatus, SyncCategory
from whalefall_pipelines.domain.table_partitions import PARTITIONED_TABLES, Month, Step, StepKind, added_by, dropped_by
from whalefall_pipelines.errors import StoreBusyError
from whalefall_pipelines.services import maintain_table_partitions as upkeep
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import sessions
from whalefall_pipelines.store.database import Database

ASSET = dg.AssetKey("table_partitions")
# Expiring has a week: it runs once a month, may be told to wait by a lock, and a person may have to confirm it.
OVERDUE_AFTER = timedelta(days=7)
STEP_COLUMNS = ("table", "month", "name", "step", "bytes", "rows (estimate)", "why")

CHECKS = {
    "every_month_in_use_exists": "Fails when a month that holds or takes data has no table partition.",
    "enough_months_ahead": "Fails when one of the coming months that WHALEFALL_PARTITIONS_AHEAD asks for lacks.",
    "nothing_is_overdue": "Warns when a month should have been dropped a week ago.",
    "nothing_is_held_back": "Warns when an overdue month is kept because periods of it are not computed, and says how they are.",
    "no_detach_is_pending": "Fails when a detach was cut off: the rows of that month are in no query.",
    "nothing_is_foreign": "Fails when a table is in the way of a month, or a part is not exactly one calendar month.",
}


class UpkeepConfig(dg.Config):
    """One run either creates or expires, never both; `beyond_limit` drops more than WHALEFALL_EXPIRE_AT_MOST at once."""

    expire: bool = False
    beyond_limit: bool = False


@dg.asset(
    key=ASSET,
    group_name="upkeep",
    description="The monthly table partitions of the four big tables: what exists, what is made ahead, what is overdue or in the way.\n\n"
    "Materializing it creates what lacks and drops nothing. Only the job `expire_table_partitions` drops.",
    kinds={"postgres", "python"},
    owners=["team:dba"],
    tags={"grain": "table-month"},
)
def table_partitions(context: dg.AssetExecutionContext, config: UpkeepConfig, whalefall: WhalefallResource) -> dg.MaterializeResult[Any]:
    given = whalefall.installation()
    day = whalefall.today()
    with whalefall.store() as database:
        session = plan_session(context, database, SyncCategory.PARTITION, [day])
        with session_of_run(context, database, session, []):
            left = _work(context, config, database, given, day)
            if left:
                status, code = SessionStatus.FAILED, "DATABASE_QUERY_ERROR"
                sessions.abandon_session(database, session.session_id, status, error_code=code, error_message=left)
        steps = upkeep.plan(database, given, day)
    return dg.MaterializeResult(metadata={**_metadata(steps, day), "session_id": str(session.session_id)})


def _work(context: dg.AssetExecutionContext, config: UpkeepConfig, database: Database, given: Settings, day: date) -> str:
    """Do the work of this run and return what of it could not be done."""
    try:
        if config.expire:
            outcomes = upkeep.expire_table_partitions(database, given, day, beyond_limit=config.beyond_limit)
        else:
            outcomes = upkeep.create_table_partitions(database, given, day)
    except StoreBusyError as error:
        context.log.warning("%s", error)
        return ""
    for outcome in outcomes:
        if outcome.error:
            context.log.warning("%s %s: %s", outcome.step.kind, outcome.step.name, outcome.error)
        else:
            context.log.info("%s %s%s", outcome.step.kind, outcome.step.name, f", archived as {outcome.archive}" if outcome.archive else "")
    return "; ".join(f"{outcome.step.name}: {outcome.error}" for outcome in outcomes if outcome.error)


@dg.multi_asset_check(
    name="table_partitions_are_in_order",
    specs=[dg.AssetCheckSpec(name, asset=ASSET, description=description) for name, description in CHECKS.items()],
)
def table_partitions_are_in_order(whalefall: WhalefallResource) -> Generator[dg.AssetCheckResult]:
    given = whalefall.installation()
    day = whalefall.today()
    with whalefall.store() as database:
        steps = upkeep.plan(database, given, day)
        for_long = {step.name for step in dropped_by(upkeep.plan_additions(database, given, day - OVERDUE_AFTER))}
    this = Month(day.year, day.month)
    lacking = [step for step in steps if step.found is None and step.month]
    yield _check("every_month_in_use_exists", [step for step in lacking if step.month and step.month <= this])
    yield _check("enough_months_ahead", [step for step in lacking if step.month and step.month > this])
    yield _check("nothing_is_overdue", [step for step in dropped_by(steps) if step.name in for_long], dg.AssetCheckSeverity.WARN)
    yield _check("nothing_is_held_back", [step for step in steps if step.kind is StepKind.HOLD], dg.AssetCheckSeverity.WARN)
    yield _check("no_detach_is_pending", [step for step in steps if step.kind is StepKind.FINALIZE])
    yield _check("nothing_is_foreign", [step for step in steps if step.kind is StepKind.FOREIGN])


def _job(name: str, description: str, *, expire: bool) -> dg.JobDefinition:
    return dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType, reportReturnType] - Dagster types it in part
        name,
        selection=dg.AssetSelection.assets(ASSET),
        description=description,
        config={"ops": {"table_partitions": {"config": {"expire": expire}}}},
        tags={"whalefall/lane": "upkeep"},
    )


create_table_partitions = _job("create_table_partitions", "Makes this month and those ahead, fills holes, drops nothing.", expire=False)
expire_table_partitions = _job("expire_table_partitions", "Drops the months older than their retention, archived before.", expire=True)


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    jobs=[create_table_partitions, expire_table_partitions],
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Repairs within minutes: a month that lacks or that a write missed, and a detach that was cut off.",
)
def missing_table_partitions(whalefall: WhalefallResource) -> Generator[dg.RunRequest | dg.SkipReason]:
    given = whalefall.installation()
    with whalefall.store() as database:
        steps = upkeep.plan_additions(database, given, whalefall.today())
    hour = f"{whalefall.now():%Y-%m-%dT%H}"
    cut_off = [step for step in dropped_by(steps) if step.kind is StepKind.FINALIZE]
    requests = [*_repair("create_table_partitions", added_by(steps), hour), *_repair("expire_table_partitions", cut_off, hour)]
    yield from requests or [dg.SkipReason("Every month is there.")]


def _repair(job_name: str, steps: Sequence[Step], hour: str) -> Iterable[dg.RunRequest]:
    """A run for these steps: at once, and while they stay to be done once an hour."""
    if steps:
        names = hashlib.sha256("\n".join(step.name for step in steps).encode()).hexdigest()[:16]
        yield dg.RunRequest(run_key=f"{job_name}-{hour}-{names}", job_name=job_name)


def _check(name: str, steps: Sequence[Step], severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR) -> dg.AssetCheckResult:
    more = f" and {len(steps) - 3} more" if len(steps) > 3 else ""
    found = "; ".join(f"{step.name}: {step.why}" for step in steps[:3]) + more
    return dg.AssetCheckResult(
        asset_key=ASSET,
        check_name=name,
        passed=not steps,
        severity=severity,
        description=found or "in order",
        metadata={"count": len(steps), "table partitions": markdown_table(STEP_COLUMNS, map(_step_row, steps[:MOST_ROWS]))},
    )


def _metadata(steps: Sequence[Step], day: date) -> Metadata:
    existing = [step.found for step in steps if step.found and step.kind is not StepKind.FOREIGN]
    counts: Mapping[str, Callable[[Step], bool]] = {
        "to_create": lambda step: step.kind is StepKind.CREATE,
        "overdue": lambda step: step.drops,
        "held_back": lambda step: step.kind is StepKind.HOLD,
        "detach_pending": lambda step: step.kind is StepKind.FINALIZE,
        "foreign": lambda step: step.kind is StepKind.FOREIGN,
    }
    return {
        "table_partitions": len(existing),
        "total_bytes": sum(one.total_bytes for one in existing),
        **{name: sum(map(belongs, steps)) for name, belongs in counts.items()},
        "next three months": _coming(steps, Month(day.year, day.month)),
        "table partitions": markdown_table(STEP_COLUMNS, [_step_row(step) for step in steps[-MOST_ROWS:]]),
    }


def _coming(steps: Sequence[Step], this: Month) -> dg.MarkdownMetadataValue:
    present = {(step.table_name, step.month) for step in steps if step.found}
    months = [this.plus(number) for number in (1, 2, 3)]
    rows = [(month, *("exists" if (table_name, month) in present else "missing" for table_name in PARTITIONED_TABLES)) for month in months]
    return markdown_table(("month", *PARTITIONED_TABLES), rows)


def _step_row(step: Step) -> tuple[object, ...]:
    known = (step.found.total_bytes, step.found.rows) if step.found else (None, None)
    return (step.table_name, step.month, step.name, step.kind, *known, step.why)
