"""A code location whose servers are fake, for workers of zones that `zones.py` measures: every active instance answers after 100 ms."""

import dagster as dg

from whalefall_pipelines.areas import areas
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import Collection, server_collection
from whalefall_pipelines.sessions.resources import ServersResource
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database

DATABASES, LATENCY_SECONDS = 20, 0.1


class FakeServers(ServersResource):
    """The registered servers, as they are not."""

    def collection(self, database: Database) -> Collection:
        """A collection from them."""
        fakes = {
            instance.name: FakeServer(
                {f"application_{number}": instance.instance_id * 1000 + number for number in range(DATABASES)},
                delay_seconds=LATENCY_SECONDS,
            )
            for instance in active_instances(database)
        }
        return server_collection(load_settings(), database, FakeFleet(fakes))


defs = dg.Definitions.merge(
    *(area.load("definitions").DEFINITIONS for area in areas() if area.has_definitions),
    dg.Definitions(resources={"whalefall": WhalefallResource(), "servers": FakeServers()}, executor=dg.in_process_executor),
)
