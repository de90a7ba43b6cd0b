"""The Dagster resource that provides a collector. Loading the code location opens no connection."""

import dagster as dg

from whalefall_pipelines.capacity.collect import Collector, server_collector
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database


class CollectorResource(dg.ConfigurableResource[None]):
    """Creates collectors for the fleet of this installation. It holds no secret and no connection."""

    def collector(self, database: Database) -> Collector:
        """A collector for the real servers; tests provide another fleet here."""
        return server_collector(load_settings(), database)
