"""The Dagster resource with the store, opened for one step, and the clock. Loading the code location opens no connection."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime

import dagster as dg

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.open_store import open_dagster_database, open_store
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database

# Longer than a restart. Together with the deadline of the last connection attempt it stays far below the 300 s limit of a tick.
WAIT_SECONDS = 30.0


class WhalefallResource(dg.ConfigurableResource[None]):
    """The store of this installation, as configured in the environment. It holds no secret and no connection."""

    def installation(self) -> Settings:
        """The settings of this installation, read when the step begins."""
        return load_settings()

    def now(self) -> datetime:
        """The clock of all Dagster code; tests replace it."""
        return system_clock()

    def today(self) -> date:
        """The current day in the time zone of the store."""
        return today(self.now(), ZONE)

    @contextmanager
    def store(self) -> Generator[Database]:
        """Open the store for the block. Steps of runs and ticks wait for a store that is restarting.

        Raises:
            InputError: its time zone differs from that of the calendars of this code location.
        """
        with open_store(load_settings(), wait_seconds=WAIT_SECONDS) as database:
            if database.timezone.key != TIMEZONE:
                raise InputError(
                    f"The code location was loaded with time zone {TIMEZONE}, but the time zone of the store is {database.timezone.key}: "
                    "start Dagster in the environment that `whalefall env` prints, or reload it with WHALEFALL_TIMEZONE "
                    f"set to {database.timezone.key}."
                )
            yield database

    @contextmanager
    def dagster_database(self, store: Database) -> Generator[Database]:
        """Open Dagster's database for the block."""
        with open_dagster_database(load_settings(), store) as database:
            yield database
