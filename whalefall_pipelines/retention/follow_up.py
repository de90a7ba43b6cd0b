"""What `whalefall collect` does for the table partitions after it measured a day, so that they need not wait for Dagster's daemon."""

from contextlib import suppress
from datetime import date

from whalefall_pipelines.errors import StoreBusyError
from whalefall_pipelines.retention.maintain_table_partitions import create_table_partitions
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


def follow_up(database: Database, settings: Settings, today: date) -> None:
    """Create the missing months. What cannot be created now is left for the nightly maintenance."""
    with suppress(StoreBusyError):  # another maintenance is running
        create_table_partitions(database, settings, today)
