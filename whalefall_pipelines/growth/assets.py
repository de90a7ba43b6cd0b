"""Why the fleet is larger or smaller than a day, a week and a month before, as metadata. The work is in `attribute.py`."""

from datetime import date, timedelta
from typing import Any

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.columns import column_schema
from whalefall_pipelines.dagster_base.metadata import Metadata, exact_bytes, gigabytes, markdown_table, shown_change, shown_size
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.growth.attribute import Grouping, attribute
from whalefall_pipelines.growth.columns import ATTRIBUTION
from whalefall_pipelines.growth.model import Attribution, Bar, BarSum, DatabaseBar

GROWTH = dg.AssetKey("capacity_attribution")
_SPANS = {"a day": 1, "a week": 7, "a month": 30}
_SHOWN = 20


@dg.asset(
    key=GROWTH,
    deps=["database_size_stats", "table_size_stats"],
    group_name="growth",
    description=(
        "Why the fleet is larger or smaller than a day, a week and a month before: every database that changed is in one bar of a "
        "waterfall, and the bars add up to the byte.\n\nThe rows come from the function capacity_attribution(first_day, last_day), which "
        "works for any two days."
    ),
    kinds={"postgres", "sql"},
    owners=["team:dba"],
    tags={"grain": "database-span"},
    metadata={"dagster/column_schema": column_schema(ATTRIBUTION), "dagster/table_name": "capacity_attribution"},
    partitions_def=DAYS,
)
def growth_of_day(context: dg.AssetExecutionContext, whalefall: WhalefallResource) -> dg.MaterializeResult[Any]:
    day = date.fromisoformat(context.partition_key)
    shown: dict[str, Any] = {}
    with whalefall.store() as database:
        for name, days in _SPANS.items():
            answer = attribute(database, day - timedelta(days=days), day, Grouping("database"), most=_SHOWN, with_tables=True)
            shown |= _waterfall(name, answer)
    return dg.MaterializeResult(metadata=shown)


def _waterfall(name: str, answer: Attribution) -> Metadata:
    held = sum(bar.change_bytes for bar in answer.held)
    bars = [_bar(bar) for bar in answer.waterfall]
    total = ("sum", shown_change(answer.change_bytes), answer.change_bytes, None, None, sum(bar.databases for bar in answer.waterfall))
    columns = ("instance", "database or table", "bar", "change", "size")
    return {
        **gigabytes(**{f"growth in {name} (GB)": held}),
        **exact_bytes(**{f"growth in {name}, missing ones held": held}),
        **markdown_table(
            f"waterfall of {name}", ("bar", "change", "bytes", "by steps", "by trend", "databases"), [*bars, total] if bars else []
        ),
        **markdown_table(f"databases of {name}", columns, [row for database in answer.databases for row in _rows(database, answer)]),
    }


def _bar(bar: BarSum) -> tuple[object, ...]:
    """The row of a bar; only growth and shrink are in two parts."""
    parts = (shown_change(bar.step_bytes), shown_change(bar.trend_bytes)) if bar.bar in {Bar.GROWTH, Bar.SHRINK} else (None, None)
    return (bar.bar.replace("_", " "), shown_change(bar.change_bytes), bar.change_bytes, *parts, bar.databases)


def _rows(database: DatabaseBar, answer: Attribution) -> list[tuple[object, ...]]:
    """The database, and the tables behind its change."""
    renamed = f" (was {database.name_before})" if database.name_before else ""
    name, bar = f"{database.database_name}{renamed}", database.bar.replace("_", " ")
    tables = [
        (
            None,
            f"… {'.'.join(filter(None, (table.schema_name, table.table_name)))}",
            "new table" if table.is_new else "dropped table" if table.is_gone else "table",
            shown_change(table.change_bytes),
            None,
        )
        for table in answer.tables
        if table.table_name and (table.instance_id, table.database_name) == (database.instance_id, database.database_name)
    ]
    return [(database.instance_name, name, bar, shown_change(database.change_bytes), shown_size(database.last_bytes)), *tables]
