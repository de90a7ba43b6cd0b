"""The registered fleet as a Dagster asset, as of the start of the run."""

from typing import Any

import dagster as dg

from whalefall_pipelines.dagster_base.columns import column_schema
from whalefall_pipelines.dagster_base.metadata import markdown_table
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.inventory.columns import COLUMNS
from whalefall_pipelines.inventory.fleet import registered_instances


@dg.asset(
    group_name="inventory",
    description="Every registered server: its engine, its address, and whether it is active.",
    kinds={"postgres", "python"},
    owners=["team:dba"],
    tags={"grain": "instance"},
    metadata={"dagster/column_schema": column_schema(COLUMNS["instances"]), "dagster/table_name": "instances"},
)
def instances(whalefall: WhalefallResource) -> dg.MaterializeResult[Any]:
    with whalefall.store() as database:
        registered = registered_instances(database)
    by_engine: dict[str, int] = {}
    for registered_instance in registered:
        by_engine[registered_instance.instance.engine] = by_engine.get(registered_instance.instance.engine, 0) + 1
    return dg.MaterializeResult(
        metadata={
            "instances": len(registered),
            "active_instances": sum(registered_instance.is_active for registered_instance in registered),
            **markdown_table("engines", ("engine", "instances"), sorted(by_engine.items())),
        }
    )
