"""The tables of a day: those of every database that a rule names. The work is in `collect_day.py`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.columns import column_schema
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, Metadata, markdown_table, session_metadata, shown_change, shown_size
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import InstancesConfig, Progress
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions.resources import ServersResource
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable
from whalefall_pipelines.tables.collect import InstanceOutcome, TablesCollector
from whalefall_pipelines.tables.collect_day import choose, collect_chosen, report_day, rules_of
from whalefall_pipelines.tables.columns import COLUMNS
from whalefall_pipelines.tables.settings import TablesSettings

TABLES = dg.AssetKey("table_size_stats")
_SHOWN = 20


@dg.asset(
    key=TABLES,
    deps=["database_size_stats"],
    group_name="tables",
    description=(
        "The tables of every database that a rule selects: the server has the tag WHALEFALL_TABLES_TAG, or the database is larger than "
        "WHALEFALL_TABLES_OVER_GIGABYTES or grew by more than WHALEFALL_TABLES_GREW_GIGABYTES in seven days.\n\n"
        "Only today can be read. A database or table without a size is missing with its reason."
    ),
    kinds={"postgres", "python"},
    owners=["team:dba"],
    tags={"grain": "table-day"},
    metadata={"dagster/column_schema": column_schema(COLUMNS["table_size_stats"]), "dagster/table_name": "table_size_stats"},
    partitions_def=DAYS,
)
def tables_day(
    context: dg.AssetExecutionContext, config: InstancesConfig, whalefall: WhalefallResource, servers: ServersResource
) -> dg.MaterializeResult[Any]:
    day, settings = whalefall.today(), whalefall.installation()
    if context.partition_key != day.isoformat():
        raise InputError(f"Tables can only be read on their day: {context.partition_key} is not {day}.")
    with whalefall.store() as database:
        collection = servers.collection(database).of_run(context.run.tags)
        work = choose(database, day, rules_of(settings), config.instances, collection.reached)
        zones, is_partial = collection.reached, bool(config.instances)
        plan = plan_session(context, database, SyncCategory.TABLES, [day], zones=zones, some_instances=is_partial)
        progress = Progress(context.log, len(work.targets))
        with session_of_run(context, database, plan, work.targets) as check:
            collector = TablesCollector(replace(collection, check=check), settings.of(TablesSettings).tables_at_most)
            for outcome in collect_chosen(collector, work, plan.session_id):
                progress.note(_problem(outcome))
        shown = retry_while_unavailable(lambda: _metadata(database, day))
    return dg.MaterializeResult(metadata={**session_metadata(plan.session_id), "databases": sum(map(len, work.names.values())), **shown})


def _problem(outcome: InstanceOutcome) -> str | None:
    missing = [f"{read.database_name} ({read.reason})" for read in outcome.databases if read.reason]
    count = counted(len(missing), "database is", "databases are")
    return f"{outcome.instance.name}: {count} missing: {', '.join(missing[:5])}" if missing else None


def _metadata(database: Database, day: date) -> Metadata:
    ranked, missing = report_day(database, day, _SHOWN)

    def table(ranking: str) -> Metadata:
        rows: Sequence[tuple[object, ...]] = [
            (
                row.instance_name,
                row.database_name,
                row.schema_name,
                row.table_name,
                shown_size(row.total_bytes),
                shown_change(row.change_bytes),
            )
            for row in ranked
            if row.ranking == ranking
        ]
        return markdown_table(ranking, ("instance", "database", "schema", "table", "size", "change"), rows)

    gaps = [(gap.instance_name, gap.database_name, gap.schema_name, gap.table_name, gap.reason, gap.detail) for gap in missing[:MOST_ROWS]]
    return {
        "missing": len(missing),
        **markdown_table("missing, with reasons", ("instance", "database", "schema", "table", "reason", "detail"), gaps),
        **table("largest"),
        **table("fastest growing"),
        **table("new"),
        **table("gone"),
    }
