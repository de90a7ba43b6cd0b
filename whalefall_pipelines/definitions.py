"""The entry point for Dagster: the definitions of all areas. Runs execute in one process, so that a killed run leaves no writers behind."""

import dagster as dg

from whalefall_pipelines.areas import areas
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.sessions.resources import ServersResource

defs = dg.Definitions.merge(
    *(area.load("definitions").DEFINITIONS for area in areas() if area.has_definitions),
    dg.Definitions(resources={"whalefall": WhalefallResource(), "servers": ServersResource()}, executor=dg.in_process_executor),
)
