"""The entry for Dagster: what the areas define, in one process so that a killed run leaves nothing behind that goes on writing."""

import dagster as dg

from whalefall_pipelines.areas import areas
from whalefall_pipelines.dagster_base.resources import WhalefallResource

defs = dg.Definitions.merge(
    *(area.load("definitions").DEFINITIONS for area in areas() if area.has_definitions),
    dg.Definitions(resources={"whalefall": WhalefallResource()}, executor=dg.in_process_executor),
)
