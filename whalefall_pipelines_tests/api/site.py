"""A whole web process for tests: the gate over the API on a socket of this machine, with a fake fleet and a recorded launcher."""

import threading
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api.actions import Asgi
from whalefall_pipelines.api.dagster_launcher import NoLauncher
from whalefall_pipelines.api.store import find_launched
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.errors import LaunchError
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.gate.app import Gate
from whalefall_pipelines.gate.callers import TrustedProxy
from whalefall_pipelines.gate.connections import Connection
from whalefall_pipelines.gate.limits import Rates
from whalefall_pipelines.gate.serve import build
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.servers.listener import listening_socket

MANY = Rates(reads_per_second=100_000, actions_per_minute=6_000_000)


@dataclass
class RecordedLauncher:
    """A launcher that remembers runs, or refuses them."""

    runs: list[Run] = field(default_factory=list[Run])
    refusal: LaunchError | None = None

    def launch(self, run: Run) -> str:
        if self.refusal:
            raise self.refusal
        self.runs.append(run)
        return str(uuid4())


@dataclass
class Site:
    """A running web process and its parts."""

    store: Database
    services: Services
    launcher: RecordedLauncher
    fleet: FakeFleet
    url: str

    def token(self, scope: Scope, *, has_access: bool = False) -> str:
        """The secret of a new token."""
        now = self.services.clock()
        name = f"{scope}-{uuid4().hex[:8]}"
        return tokens.create_token(self.store, name, scope, now=now, created_by="tests", has_access=has_access).secret

    def client(self, scope: Scope | None = Scope.READ, *, has_access: bool = False) -> httpx.Client:
        """A client with a token of this scope; None has no token."""
        headers = {} if scope is None else {"Authorization": f"Bearer {self.token(scope, has_access=has_access)}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30, trust_env=False)


def services_over(store: Database, clock: Clock = system_clock, reader: Database | None = None) -> Services:
    """What a request works with, over this store alone: nothing is launched, and no server is reached."""
    return Services(
        reader or store, store, load_settings({"WHALEFALL_HOME": "/nonexistent"}), clock, NoLauncher(), b"key", lambda _: None, tuple
    )


@contextmanager
def serving(gate: Gate | Asgi, http: type[Connection] = Connection) -> Generator[str]:
    """Serve an app for the block; its address is the result."""
    with closing(listening_socket("127.0.0.1")) as listener:
        config = uvicorn.Config(gate, log_level="critical", lifespan="off", access_log=False, timeout_graceful_shutdown=1, http=http)  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


@contextmanager
def site(
    store: Database,
    home: Path,
    servers: Mapping[str, FakeServer] | None = None,
    *,
    dagster: Asgi | None = None,
    proxy: TrustedProxy | None = None,
    rates: Rates = MANY,
    settings: Mapping[str, str] | None = None,
) -> Generator[Site]:
    """A web process over this store for the block."""
    launcher, fleet = RecordedLauncher(), FakeFleet(servers or {}, Deadlines(instance_seconds=2))
    configured = load_settings({"WHALEFALL_HOME": str(home), "WHALEFALL_SECRET_FOLDERS": str(home), **(settings or {})})

    def find_queued(session_id: UUID) -> Any:
        return find_launched(store, session_id)

    with closing(Database(store.url, store.timezone, is_reader=True)) as reader:
        services = Services(reader, store, configured, system_clock, launcher, b"a key of the tests", find_queued, tuple, fleet)
        with serving(build(services, dagster=dagster, proxy=proxy, rates=rates)) as url:
            yield Site(store, services, launcher, fleet, url)
