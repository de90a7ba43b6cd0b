"""The way of a run to the servers: what collecting needs. Loading the code location connects to nothing."""

import dagster as dg

from whalefall_pipelines.capacity.collect import Collector, server_collector
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database


class CollectorResource(dg.ConfigurableResource[None]):
    """The fleet of this installation. It holds no secret and no connection."""

    def collector(self, database: Database) -> Collector:
        """What collecting from the real servers needs; tests put another fleet here."""
        return server_collector(load_settings(), database)
