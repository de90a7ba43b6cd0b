"""The input of the checks of all areas: the installation and its open databases."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.sessions import DEAD_AFTER_SECONDS
from whalefall_pipelines.fleet.probe import Fleet
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class Installation:
    """The installation to check. `on_progress` gets the numbers of tested and of all servers. Without `with_instances` none is tested."""

    settings: Settings
    with_instances: bool = True
    fleet: Fleet | None = None
    dead_after_seconds: float = DEAD_AFTER_SECONDS
    on_progress: Callable[[int, int], None] = lambda _done, _all: None
    clock: Clock = system_clock


@dataclass(frozen=True, slots=True)
class Examined:
    """An installation whose store is open and migrated. `dagster` is None if Dagster's database does not answer."""

    installation: Installation
    store: Database
    dagster: Database | None

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""
        return self.installation.settings

    @property
    def today(self) -> date:
        """The current day in the time zone of the store."""
        return today(self.installation.clock(), self.store.timezone)
