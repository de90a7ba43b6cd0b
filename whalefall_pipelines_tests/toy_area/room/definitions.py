"""The Dagster definitions of toys."""

from typing import Any

import dagster as dg
from whalefall_pipelines.toys.count import count

from whalefall_pipelines.dagster_base.resources import WhalefallResource


@dg.asset(group_name="toys", description="Every toy.")
def toys(whalefall: WhalefallResource) -> dg.MaterializeResult[Any]:
    with whalefall.store() as database:
        return dg.MaterializeResult(metadata={"toys": count(database)})


DEFINITIONS = dg.Definitions(assets=[toys])
