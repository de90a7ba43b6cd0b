"""What runs need from outside: the store, opened for one step, and the clock. Loading the code location opens nothing."""

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

# Longer than a restart. With the deadline of the last attempt to connect it stays below the 60 s that a tick may take.
WAIT_SECONDS = 30.0


class WhalefallResource(dg.ConfigurableResource[None]):
    """The store of this installation, as its environment says. It holds no secret and no connection."""

    def installation(self) -> Settings:
        """What this installation's environment says when the step begins."""
        return load_settings()

    def now(self) -> datetime:
        """The clock of everything in Dagster; tests put another here."""
        return system_clock()

    def today(self) -> date:
        """The day that it is by the time zone of the store."""
        return today(self.now(), ZONE)

    @contextmanager
    def store(self) -> Generator[Database]:
        """The store, ready to use, closed with the block. One that is restarting is waited for, by steps of runs and by ticks alike.

        Raises:
            InputError: it counts days by another zone than the calendars of this code location.
        """
        with open_store(load_settings(), wait_seconds=WAIT_SECONDS) as database:
            if database.timezone.key != TIMEZONE:
                raise InputError(
                    f"The code location was loaded with the days of {TIMEZONE}, but the store counts them by {database.timezone.key}: "
                    "start Dagster in the environment that `whalefall env` prints, or load it again with WHALEFALL_TIMEZONE "
                    f"set to {database.timezone.key}."
                )
            yield database

    @contextmanager
    def dagster_database(self, store: Database) -> Generator[Database]:
        """Dagster's database beside the store, closed with the block."""
        with open_dagster_database(load_settings(), store) as database:
            yield database
