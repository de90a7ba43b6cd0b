"""What the service adds to a bare probe: the same servers, threads and statements, with and without everything around them."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg2

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.collect import Collector
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import DATABASES, PASSWORD, USERNAME, Target, embedded_store, fleet
from whalefall_pipelines_tests.servers.dead_host import dead_host

INSTANCES = 40  # of 20 databases each, like the fleet of the memory figure
THREADS = 32
ROUNDS = 9
CONNECT_SECONDS = 2
_PASSWORD_VARIABLE = "MONITOR_BENCHMARK_PASSWORD"


def bare(targets: Sequence[Target]) -> float:
    """Connect, run the statements that the adapter runs, close; the session has no settings and nothing is stored. Seconds."""

    def bare_probe(target: Target) -> None:
        connection = psycopg2.connect(
            host=target.host, port=target.port, dbname="postgres", user=USERNAME, password=PASSWORD, connect_timeout=CONNECT_SECONDS
        )
        with closing(connection), connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(queries.load("probes/postgresql/read_identity"))
            cursor.fetchall()
            cursor.execute(queries.load("probes/postgresql/list_databases"))
            identifiers = [identifier for _, identifier in cursor.fetchall()]
            cursor.execute(queries.load("probes/postgresql/measure_databases"), {"database_ids": identifiers})
            assert len(cursor.fetchall()) == DATABASES + 3  # postgres, and the two templates, which are in the server's remainder
            cursor.execute(queries.load("probes/postgresql/list_databases"))
            cursor.fetchall()
            cursor.execute(queries.load("probes/postgresql/list_shared_space"))
            cursor.fetchall()

    begun = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(bare_probe, targets))
    return time.monotonic() - begun


class Service:
    """The real service over a real store."""

    def __init__(self, store: Database, folder: Path, targets: Sequence[Target]) -> None:
        """Register the targets."""
        self._store = store
        _register(store, targets)
        self._secrets = SecretBox(load_settings({"WHALEFALL_HOME": str(folder)}), {_PASSWORD_VARIABLE: PASSWORD})

    def instances(self) -> Sequence[Instance]:
        """The targets as the store knows them by now: their identity is queried once, not by every probe."""
        return active_instances(self._store)

    def collect(self, instances: Sequence[Instance], *, reachable: int) -> float:
        """Collect today from these in its own session. Seconds."""
        day = today(datetime.now(UTC), self._store.timezone)
        fleet = ServerFleet(Deadlines(connect_seconds=CONNECT_SECONDS))
        collector = Collector(Collection(self._store, fleet, self._secrets, THREADS, timedelta(hours=2)))
        plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day)
        begun = time.monotonic()
        with sync_session(self._store, plan, instances):
            outcomes = list(collector.collect_day(instances, day, plan.session_id))
        seconds = time.monotonic() - begun
        assert sum(outcome.measured == DATABASES + 1 for outcome in outcomes) == reachable, outcomes
        return seconds


def _register(store: Database, targets: Sequence[Target]) -> None:
    with store.transaction() as cursor:
        cursor.execute(
            "insert into credentials (name, username, secret) values ('benchmark', %s, %s)", (USERNAME, f"env:{_PASSWORD_VARIABLE}")
        )
        cursor.execute(
            "insert into instances (name, engine, host, port, credential_id) select 'target-' || t.number, 'postgresql', t.host, t.port, "
            "credential_id from credentials, unnest(%s::text[], %s::integer[]) with ordinality as t (host, port, number) order by t.number",
            ([target.host for target in targets], [target.port for target in targets]),
        )


def measure(folder: Path) -> list[Figure]:
    """The ratio, and the cost of dead hosts."""
    with ExitStack() as stack:
        store = stack.enter_context(embedded_store(folder / "home"))
        targets = stack.enter_context(fleet(folder, INSTANCES))
        dead = [stack.enter_context(dead_host(f"127.0.2.{number}")) for number in range(1, INSTANCES // 20 + 1)]
        service = Service(store, folder, [*targets, *(Target(host.host, host.port) for host in dead)])
        service.collect(service.instances()[:INSTANCES], reachable=INSTANCES)
        everything = service.instances()
        alive = everything[:INSTANCES]
        compared = alternate(lambda: service.collect(alive, reachable=INSTANCES), lambda: bare(targets), ROUNDS)
        delayed = alternate(
            lambda: service.collect(everything, reachable=INSTANCES), lambda: service.collect(alive, reachable=INSTANCES), 2
        )
    extra = max(with_dead - without for with_dead, without in zip(delayed.ours, delayed.floor, strict=True))
    return [
        Figure(f"probe {INSTANCES} servers: service / bare threads", compared.ratio, 1.2, "x", str(compared)),
        Figure(f"probe with {len(dead)} dead hosts more: seconds added", extra, CONNECT_SECONDS + 0.25, "s", str(delayed)),
    ]
