"""The Dagster resource that collects from the monitored servers, for every area. Loading the code location opens no connection."""

import dagster as dg

from whalefall_pipelines.sessions.collection import Collection, server_collection
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database


class ServersResource(dg.ConfigurableResource[None]):
    """The monitored servers of this installation. It holds no secret and no connection."""

    def collection(self, database: Database) -> Collection:
        """A collection from the real servers; tests provide another fleet here."""
        return server_collection(load_settings(), database)
