"""The Dagster resource that provides a collector of tables. Loading the code location opens no connection."""

import dagster as dg

from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables.collect import TablesCollector, server_tables_collector


class TablesCollectorResource(dg.ConfigurableResource[None]):
    """Creates collectors of tables for the fleet of this installation. It holds no secret and no connection."""

    def collector(self, database: Database) -> TablesCollector:
        """A collector for the real servers; tests provide another fleet here."""
        return server_tables_collector(load_settings(), database)
