"""What a request works with: the stores of readers and writers, the settings, the clock, Dagster, and the caller."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from whalefall_pipelines.api_base.callers import Caller
from whalefall_pipelines.api_base.traffic import Traffic
from whalefall_pipelines.clock import Clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.runs import Launcher, Queued, Run
from whalefall_pipelines.fleet.probe import Fleet
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    """What every request shares. `reader` only reads, and its statements end after seconds. `fleet` is None for the real servers.

    `find_queued` finds a launched run by its session, `find_obstacles` tells why the installation is not ready.
    """

    reader: Database
    writer: Database
    settings: Settings
    clock: Clock
    launcher: Launcher
    cursor_key: bytes
    find_queued: Callable[[UUID], Queued | None]
    find_obstacles: Callable[[], tuple[str, ...]]
    fleet: Fleet | None = None
    traffic: Traffic = field(default_factory=Traffic)

    def today(self) -> date:
        """The calendar day of the store."""
        return today(self.clock(), self.reader.timezone)


@dataclass(frozen=True, slots=True)
class Launched:
    """The answer to an action that runs in Dagster. `session_url` has its state: it reads `queued` until the run begins."""

    session_id: UUID
    run_id: str
    status: str
    sync_category: str
    first_day: date | None
    last_day: date | None
    session_url: str


def launch(services: Services, run: Run) -> Launched:
    """Put a run into Dagster's queue.

    Raises:
        LaunchError: Dagster cannot be reached or refuses it.
    """
    run_id = services.launcher.launch(run)
    url = f"/api/v1/sessions/{run.session_id}"
    return Launched(run.session_id, run_id, "queued", run.category, run.first_start, run.last_start, url)


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _caller(request: Request) -> Caller:
    return caller_of(request)


def caller_of(request: Request) -> Caller:
    """Who passed the gate with this request.

    Raises:
        KeyError: the app was reached without the gate.
    """
    caller: Caller = request.scope["whalefall.caller"]
    return caller


ServicesOf = Annotated[Services, Depends(_services)]
CallerOf = Annotated[Caller, Depends(_caller)]
