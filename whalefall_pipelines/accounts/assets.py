"""The accounts of the fleet on a day, and their privileges: two assets from one probe of each server. The work is in `sync.py`."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from whalefall_pipelines.accounts.columns import COLUMNS
from whalefall_pipelines.accounts.metadata import account_metadata, privilege_metadata
from whalefall_pipelines.accounts.store import reports
from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.accounts.write_snapshot import AccountsOutcome
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.columns import table_asset
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, session_metadata
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import InstancesConfig, Progress
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.resources import ServersResource
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.sessions.store import skip_records
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable

ACCOUNTS, PRIVILEGES = dg.AssetKey("instance_accounts"), dg.AssetKey("account_privileges")


@dg.multi_asset(
    specs=[
        table_asset(
            ACCOUNTS,
            COLUMNS["instance_accounts"],
            deps=["instances"],
            group_name="accounts",
            description="Every account of every server, with the days on which it was first and last listed.\n\n"
            "Only today can be read (and yesterday, within the grace period after midnight). A past day that was not read stays "
            "unobserved; the observations before and after it bound what is known.",
            grain="account",
        ),
        table_asset(
            PRIVILEGES,
            COLUMNS["account_privileges"],
            deps=["instance_accounts"],
            group_name="accounts",
            description="What every account may do, from which day until which day, and what was granted and revoked today.\n\n"
            "Always materialized together with the accounts, in one transaction per server.",
            grain="privilege",
        ),
    ],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def fleet_accounts(
    context: dg.AssetExecutionContext, config: InstancesConfig, whalefall: WhalefallResource, servers: ServersResource
) -> Generator[dg.MaterializeResult[Any]]:
    days = [date.fromisoformat(key) for key in context.partition_keys]
    with whalefall.store() as database:
        collection = servers.collection(database).of_run(context.run.tags)
        targets, readable = active_instances(database, config.instances, zones=collection.reached), collection.measurable_day(days)
        scope = {"some_instances": bool(config.instances), "is_over": readable is None}
        plan = plan_session(context, database, SyncCategory.ACCOUNT, days, zones=collection.reached, **scope)
        with session_of_run(context, database, plan, targets) as check:
            filters = read_filters(whalefall.installation())
            _work(context, replace(collection, check=check), targets, plan, readable=readable, filters=filters)
        for day in days:
            _report(context, database, day, plan)
    for key in (ACCOUNTS, PRIVILEGES):
        yield dg.MaterializeResult(asset_key=key)


def _work(
    context: dg.AssetExecutionContext,
    collection: Collection,
    targets: Sequence[Instance],
    plan: SessionPlan,
    *,
    readable: date | None,
    filters: Mapping[Engine, DatabaseFilter],
) -> None:
    if readable is None:
        skip_records(collection.database, plan.session_id, {"probed": False, "why": "accounts of past days cannot be read any more"})
        return
    progress = Progress(context.log, len(targets))
    for outcome in sync_accounts(collection, targets, readable, plan.session_id, filters):
        progress.note(_problem(outcome))


def _report(context: dg.AssetExecutionContext, database: Database, day: date, plan: SessionPlan) -> None:
    figures = retry_while_unavailable(lambda: reports.summarize_day(database, day))
    changes = retry_while_unavailable(lambda: reports.list_changes(database, day, day, (), MOST_ROWS))
    gaps = retry_while_unavailable(lambda: reports.list_gaps(database, day))[:MOST_ROWS]
    shown = {ACCOUNTS: account_metadata(figures, changes, gaps), PRIVILEGES: privilege_metadata(figures, changes)}
    for key, metadata in shown.items():
        context.add_asset_metadata({**metadata, **session_metadata(plan.session_id)}, asset_key=key, partition_key=day.isoformat())


def _problem(outcome: AccountsOutcome) -> str | None:
    """Describe an instance that failed or of which something could not be read; None if everything is fine."""
    if outcome.error:
        return f"{outcome.instance.name}: {outcome.error}"
    if outcome.kept:
        return f"{outcome.instance.name}: {len(outcome.kept)} accounts are missing at once; they are kept until a later day confirms it"
    return "; ".join(f"{outcome.instance.name}: {gap.detail}" for gap in outcome.unread[:5]) or None
