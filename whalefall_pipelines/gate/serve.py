"""Serves the gate with what is behind it: opens the stores, builds the app, and runs uvicorn until it is stopped."""

import hashlib
import ipaddress
import ssl
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import anyio
import uvicorn
from anyio import to_thread

from whalefall_pipelines.api.actions import Actions, Asgi
from whalefall_pipelines.api.app import create_app
from whalefall_pipelines.api.dagster_launcher import Ask, GraphqlLauncher, NoLauncher
from whalefall_pipelines.api.store import find_launched
from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.console.app import Console, console_app, problem_answer
from whalefall_pipelines.doctor.dagster import check_daemon, read_heartbeats
from whalefall_pipelines.doctor.outcome import Severity
from whalefall_pipelines.domain.runs import Launcher, Queued
from whalefall_pipelines.errors import InputError, StoreError
from whalefall_pipelines.gate.app import DAGSTER_PATH, Behind, Gate
from whalefall_pipelines.gate.callers import Callers, TrustedProxy
from whalefall_pipelines.gate.connections import Connection
from whalefall_pipelines.gate.limits import Limits, Rates
from whalefall_pipelines.runtime.open_store import open_dagster_database, open_store
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.settings.model import PasswordSettings
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url

# Requests that work at the same time: each has a connection of the pool. The rest waits in the queue of the threads.
READERS = 12
WRITERS = 6
# The listener refuses more than this with 503, before a request costs anything.
MOST_CONNECTIONS = 1000


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: an address, or a unix socket. TLS needs both files."""

    host: str = "127.0.0.1"
    port: int = 3000
    socket: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def has_tls(self) -> bool:
        """Whether it is encrypted."""
        return self.certificate is not None


def refuse_open(listen: Listen, proxy: TrustedProxy | None) -> None:
    """Refuse to send passwords and cookies in the clear over a network.

    Raises:
        InputError: the address is not on this machine, and there is neither TLS nor a trusted proxy.
    """
    if listen.socket or listen.has_tls or proxy or _is_loopback(listen.host):
        return
    raise InputError(
        f"whalefall does not listen on {listen.host} without encryption, because tokens and cookies could be read in transit. Give a "
        "certificate (--certificate and --key), or listen on 127.0.0.1 and put a TLS proxy in front of it (WHALEFALL_TRUSTED_PROXY_HEADER)."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def open_services(
    settings: Settings, launcher: Launcher, reader_url: str | None = None, *, with_dagster: bool = True
) -> Generator[Services]:
    """The services of the API over the store of this installation."""
    with open_store(settings, pool_size=WRITERS) as writer:
        url = parse_url(reader_url) if reader_url else writer.url
        with (
            closing(Database(url, writer.timezone, pool_size=READERS, is_reader=True)) as reader,
            open_dagster_database(settings, writer) as dagster,
        ):
            yield Services(
                reader,
                writer,
                settings,
                system_clock,
                launcher,
                cursor_key(settings, writer),
                _finding_queued(writer),
                _finding_obstacles(reader, dagster if with_dagster else None),
            )


def cursor_key(settings: Settings, database: Database) -> bytes:
    """A key that signs cursors. It protects no secret, so it is derived from what all processes of an installation have alike."""
    seed = settings.of(PasswordSettings).secret_key or f"{settings.home}"
    return hashlib.sha256(f"cursor {seed} {database.url.database}".encode()).digest()


def _finding_queued(writer: Database) -> Callable[[UUID], Queued | None]:
    return lambda session_id: find_launched(writer, session_id)


def _finding_obstacles(reader: Database, dagster: Database | None) -> Callable[[], tuple[str, ...]]:
    def find(now: Callable[[], datetime] = system_clock) -> tuple[str, ...]:
        try:
            migrations.check(reader)
        except StoreError:
            return ("the store does not answer, or has a different schema",)
        if dagster is None:
            return ()
        try:
            outcomes = check_daemon(read_heartbeats(dagster), now())
        except StoreError:
            return ("Dagster's database does not answer",)
        return ("Dagster's daemon sends no heartbeats",) if any(outcome.severity is Severity.PROBLEM for outcome in outcomes) else ()

    return find


def build(services: Services, *, dagster: Asgi | None = None, proxy: TrustedProxy | None = None, rates: Rates | None = None) -> Gate:
    """The gate over the API, the console and, if this process serves it, the Dagster UI."""
    api = Actions(create_app(services), services)
    console = Console(services, api, DAGSTER_PATH if dagster else None)
    behind = Behind(api, console_app(console), partial(problem_answer, console), dagster)
    return Gate(behind, Callers(services, proxy), Limits(rates or Rates()))


def launcher_for(ask: Ask | None) -> Launcher:
    """The launcher over a function that asks GraphQL; one that refuses without it."""
    return GraphqlLauncher(ask) if ask else NoLauncher()


def listening(gate: Gate, listen: Listen) -> uvicorn.Config:
    """How the gate is served."""
    return uvicorn.Config(
        gate,  # pyright: ignore[reportArgumentType]
        host=listen.host,
        port=listen.port,
        uds=str(listen.socket) if listen.socket else None,
        ssl_certfile=listen.certificate,
        ssl_keyfile=listen.key,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=Connection,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
    )


def serve(gate: Gate, listen: Listen) -> None:
    """Serve until SIGINT or SIGTERM."""

    async def run() -> None:
        to_thread.current_default_thread_limiter().total_tokens = READERS + WRITERS
        await uvicorn.Server(listening(gate, listen)).serve()

    anyio.run(run)
