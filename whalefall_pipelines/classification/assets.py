"""The classes of accounts on a day: an asset downstream of accounts and privileges. The work is in `classify.py`."""

from collections.abc import Generator
from datetime import date
from typing import Any

import dagster as dg

from whalefall_pipelines.accounts.assets import ACCOUNTS, PRIVILEGES
from whalefall_pipelines.classification.classify import classify_accounts, refuse_problems
from whalefall_pipelines.classification.columns import COLUMNS
from whalefall_pipelines.classification.metadata import CHECKS, announcement_check, class_metadata, evaluation_check
from whalefall_pipelines.classification.model import PRIVILEGED, Outcome
from whalefall_pipelines.classification.store import reports
from whalefall_pipelines.classification.store.rules import list_classifications
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.columns import column_schema
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, session_metadata
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.errors import ClassificationError
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.sessions.store import skip_records, start_records
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable

CLASSES = dg.AssetKey("account_classifications")
_ASSIGNMENTS = "account_classification_assignments"


@dg.multi_asset(
    name="classify_fleet",
    specs=[
        dg.AssetSpec(
            CLASSES,
            deps=[ACCOUNTS, PRIVILEGES],
            group_name="accounts",
            description="The class of each account, from rules about what accounts are and what they may do.\n\n"
            "Only today is evaluated. Rules are read from the store, and one transaction replaces the assignments. If a rule fails, its "
            "accounts keep their classes and the run fails. A past day shows what was stored then.",
            kinds={"postgres", "sql"},
            owners=["team:dba"],
            tags={"grain": "account-class"},
            metadata={"dagster/column_schema": column_schema(COLUMNS[_ASSIGNMENTS]), "dagster/table_name": _ASSIGNMENTS},
        )
    ],
    check_specs=CHECKS,
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def fleet_classifications(
    context: dg.AssetExecutionContext, whalefall: WhalefallResource
) -> Generator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    days = [date.fromisoformat(key) for key in context.partition_keys]
    with whalefall.store() as database:
        outcome, session_id = _classify(context, database, days, whalefall.today())
        for day in days:
            _report(context, database, day, outcome)
        announced = retry_while_unavailable(lambda: reports.list_new_members(database, days[-1], PRIVILEGED))
    yield dg.MaterializeResult(asset_key=CLASSES, metadata=session_metadata(session_id))
    yield evaluation_check(outcome)
    yield announcement_check(announced)
    if outcome.problems:  # the run fails after everything else was written
        raise dg.Failure("; ".join(problem.sentence for problem in outcome.problems))


def _classify(context: dg.AssetExecutionContext, database: Database, days: list[date], today: date) -> tuple[Outcome, str]:
    """Evaluate today if it is among the days; the session fails with the rules that failed."""
    is_over = today not in days
    plan = plan_session(context, database, SyncCategory.CLASSIFICATION, days, is_over=is_over)
    outcome = Outcome(0, 0, 0, 0, ())
    instances = active_instances(database)
    try:
        with session_of_run(context, database, plan, instances) as check:
            if is_over:
                skip_records(database, plan.session_id, {"evaluated": False, "why": "past days keep their classes"})
            else:
                start_records(database, plan.session_id, [instance.instance_id for instance in instances])
                outcome = classify_accounts(database, today, session_id=plan.session_id, check=check)
            refuse_problems(outcome)
    except ClassificationError as error:
        context.log.error("%s", error)  # noqa: TRY400 - it is a sentence, and its traceback says nothing more
    return outcome, str(plan.session_id)


def _report(context: dg.AssetExecutionContext, database: Database, day: date, outcome: Outcome) -> None:
    codes = [known.code for known in retry_while_unavailable(lambda: list_classifications(database))]
    counts = retry_while_unavailable(lambda: reports.summarize_classes(database, day))
    changes = retry_while_unavailable(lambda: reports.list_changes(database, day, most=MOST_ROWS))
    context.add_asset_metadata(class_metadata(codes, counts, changes, day, outcome), asset_key=CLASSES, partition_key=day.isoformat())
