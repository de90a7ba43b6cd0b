"""The Dagster resource that provides the synchronisation of accounts. Loading the code location opens no connection."""

import dagster as dg

from whalefall_pipelines.accounts.sync import AccountSync, server_sync
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database


class AccountSyncResource(dg.ConfigurableResource[None]):
    """Creates the synchronisation of this installation. It holds no secret and no connection."""

    def sync(self, database: Database) -> AccountSync:
        """The synchronisation of the real servers; tests provide another fleet here."""
        return server_sync(load_settings(), database)
