"""An installation with zones, as a person sets it up: store, Redis and `whalefall up` in the centre, and a worker in each zone.

Store and Redis listen on the links to the zones. Each zone has a real PostgreSQL behind it, and its password is known to its worker only.
"""

import contextlib
import secrets
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
import redis
import yaml

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines.runtime.local_servers.postgresql_initdb import make_cluster
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines.workers.doctor_checks import find_queues
from whalefall_pipelines_tests.cli.trees import LAUNCH, REPOSITORY, WHALEFALL, Home, Up, eventually, running
from whalefall_pipelines_tests.conftest import FAST, TIMEZONE, libpq_url
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.servers import postgresql
from whalefall_pipelines_tests.workers.networks import Network, network

ZONES = ("dmz-north", "dmz-south")
CENTRE = "centre"
NAMES = ("app", "shop")
# A run loads Dagster in 4 s of CPU time, which is a minute on a machine with far more to do than it can.
RUN_SECONDS = 240
_STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename ... on TerminateRunFailure { message } } }"
_SENSOR = "query($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor { id } } }"
_STOP_SENSOR = "mutation($id: String!) { stopSensor(id: $id) { __typename } }"
_REPOSITORY = {"repositoryLocationName": "whalefall_pipelines", "repositoryName": "__repository__"}
_OVER = frozenset({"SUCCESS", "FAILURE", "CANCELED"})


@dataclass
class Worker:
    """A running `whalefall worker`."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End all of its processes at once, as a machine that loses its power does."""
        with contextlib.suppress(psutil.NoSuchProcess):
            worker = psutil.Process(self.process.pid)
            for process in [worker, *worker.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait(10)

    def output(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Site:
    """A place from which servers are reached: a zone, or the centre, which has no network of its own."""

    zone: str
    server: PostgresCluster
    home: Home
    network: Network | None = None
    worker: Worker | None = None

    def start_worker(self, command: Sequence[str] = (*WHALEFALL, "worker"), *, home: Home | None = None) -> Worker:
        """Start its worker, or another program in its network. Orders that come before it listens wait for it."""
        used = home or self.home
        log = self.home.folder.parent / f"worker-{self.zone}-{time.monotonic_ns()}.txt"

        def start() -> subprocess.Popen[bytes]:
            with log.open("wb") as output:
                return subprocess.Popen(command, env=used.environment, cwd=used.checkout, stdout=output, stderr=output)

        self.worker = Worker(self.network.do(start) if self.network else start(), log)
        return self.worker

    def end_worker(self) -> None:
        if self.worker:
            self.worker.kill()

    def output(self) -> str:
        return self.worker.output() if self.worker else ""


@dataclass
class Orders:
    """The Redis through which runs reach the workers. It keeps what it has."""

    folder: Path
    addresses: Sequence[str]
    password: str = field(default_factory=secrets.token_hex)
    port: int = field(default_factory=lambda: free_port("0.0.0.0"))  # noqa: S104 - free at every address
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", *self.addresses, "--dir", str(self.folder), "--requirepass", self.password]
        command = ["redis-server", str(REPOSITORY / "deploy" / "redis.conf"), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        assert eventually(self._answers, seconds=60)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(10)

    def forget(self) -> None:
        """Lose everything, as a Redis does that keeps nothing and is started again."""
        self.kill()
        for path in self.folder.rglob("*"):
            if path.is_file():
                path.unlink()
        self.start()

    def client(self) -> redis.Redis:
        return redis.Redis("127.0.0.1", self.port, password=self.password)

    def url(self, address: str = "127.0.0.1") -> str:
        return f"redis://:{self.password}@{address}:{self.port}/0"

    def _answers(self) -> bool:
        with closing(self.client()) as client, contextlib.suppress(redis.ConnectionError):
            return bool(client.ping())
        return False


@dataclass
class Installation:
    """The centre, its zones, and the day of this test."""

    up: Up
    store: Database
    cluster: PostgresCluster
    orders: Orders
    sites: Mapping[str, Site]

    @property
    def day(self) -> date:
        return today(datetime.now(UTC), self.store.timezone)

    @property
    def expected(self) -> dict[str, frozenset[str]]:
        """What every site has, by the name of its server."""
        return {site.zone: frozenset({*NAMES, "postgres"}) for site in self.sites.values()}

    def launch(self, zone: str | None) -> str:
        """Launch a run as the schedule does, or without a zone as a click on Materialize does."""
        of_zone = {"whalefall/zone": zone} if zone else {}
        of_zone |= {"whalefall/concurrency_group": f"collect {zone}"} if zone and zone != CENTRE else {}
        return self.launch_tagged({"dagster/partition": str(self.day)} | of_zone)

    def launch_tagged(self, tags: Mapping[str, str]) -> str:
        """Launch a run that collects the sizes of a day."""
        selector = _REPOSITORY | {"pipelineName": "collect_capacity"}
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        parameters = {"selector": selector, "mode": "default", "executionMetadata": {"tags": listed}}
        answer = self.up.ask(LAUNCH, {"parameters": parameters})["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def wait_for_workers(self) -> None:
        """Return when a worker listens at every site: a run that waits for too long fails."""
        assert eventually(lambda: set(self.sites) <= (find_queues(self.orders.url()) or set()), seconds=RUN_SECONDS), self.outputs()

    def stop_sensor(self, name: str) -> None:
        """Stop a sensor, as a person does in the UI."""
        sensor = self.up.ask(_SENSOR, {"selector": _REPOSITORY | {"sensorName": name}})["sensorOrError"]
        assert self.up.ask(_STOP_SENSOR, {"id": sensor["id"]})["stopSensor"]["__typename"] == "StopSensorMutationResult"

    def status(self, run_id: str) -> str:
        """What Dagster shows of a run; nothing while its store is away."""
        answer = self.up.ask(_STATUS, {"id": run_id})
        return str(answer["runOrError"]["status"]) if answer else ""

    def cancel(self, run_id: str) -> None:
        answer = self.up.ask(_TERMINATE, {"id": run_id})["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def ended(self, *run_ids: str, seconds: float = RUN_SECONDS) -> list[str]:
        """How these runs ended, in order."""
        statuses: list[str] = []

        def is_over() -> bool:
            statuses[:] = [self.status(run_id) for run_id in run_ids]
            return set(statuses) <= _OVER

        assert eventually(is_over, seconds=seconds), (statuses, self.outputs())
        return statuses

    def collect(self, *zones: str) -> list[str]:
        """Collect the day in these zones, or in all of them, and return how the runs ended."""
        return self.ended(*[self.launch(zone) for zone in zones or (CENTRE, *ZONES)])

    def sessions(self, run_id: str) -> list[tuple[object, ...]]:
        """The sessions of a run: zone, status and code."""
        return query(self.store, "select zone, status, error_code from sync_sessions where run_id = %s order by started_at", run_id)

    def events(self, run_id: str) -> str:
        """Everything that Dagster knows about a run."""
        with closing(Database(self.store.url.set(database="dagster"), self.store.timezone)) as dagster:
            return "\n".join(str(event) for (event,) in query(dagster, "select event from event_logs where run_id = %s", run_id))

    def outputs(self) -> str:
        return "\n".join([self.up.output(), *(site.output() for site in self.sites.values())])[-8000:]


def _server(folder: Path, host: str, *options: str) -> PostgresCluster:
    """A PostgreSQL that other machines may reach, not yet started."""
    cluster = PostgresCluster(for_store().bin_dir, folder, host=host, options=(*FAST, *options), initdb_options=("--wal-segsize=4", "-N"))
    folder.mkdir(parents=True)
    make_cluster(cluster.bin_dir, folder, cluster.superuser, cluster.initdb_options)
    with (cluster.data / "pg_hba.conf").open("a") as file:
        file.write("host all all 10.0.0.0/8 scram-sha-256\n")
    return cluster


def _monitored(folder: Path, host: str) -> tuple[PostgresCluster, str]:
    """A started server with databases, and the password of its login."""
    server = _server(folder, host)
    server.start(with_parent=True)
    for name in NAMES:
        postgresql.create_database(server, name)
    return server, str(postgresql.create_login(server, "monitor").password)


def _configured(home: Home) -> None:
    """What the page on workers says: a `dagster.yaml` of one's own, with the lines of zones."""
    base, zones = (yaml.safe_load((REPOSITORY / name).read_text()) for name in ("dagster.yaml", "deploy/dagster-zones.yaml"))
    # A test waits for a second look at the runs, and has fewer minutes than a night.
    base["run_monitoring"] |= {"poll_interval_seconds": 5, "start_timeout_seconds": 90}
    folder = home.folder / "dagster"
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(yaml.safe_dump(base | zones))


@contextmanager
def installation(folder: Path) -> Generator[Installation]:
    """The whole installation, with a worker at each site; everything ends with the block."""
    with ExitStack() as stack:
        networks = {zone: stack.enter_context(network()) for zone in ZONES}
        cluster = _server(folder / "store", "127.0.0.1", "listen_addresses=*", "max_connections=300")
        cluster.start(with_parent=True)
        stack.callback(cluster.stop)
        for name in ("whalefall", "dagster"):
            administer(cluster, f"create database {name}")
        password = cluster.pgpass.read_text().strip().rsplit(":", 1)[1]
        (folder / "redis").mkdir()
        orders = Orders(folder / "redis", ["127.0.0.1", *(each.centre for each in networks.values())])
        orders.start()
        stack.callback(orders.kill)

        def home(name: str, address: str, more: Mapping[str, str]) -> Home:
            urls = {
                variable: libpq_url(parse_url(f"postgresql://postgres:{password}@{address}:{cluster.port}/{database}"))
                for variable, database in (("WHALEFALL_DATABASE_URL", "whalefall"), ("WHALEFALL_DAGSTER_DATABASE_URL", "dagster"))
            }
            configured = Home(
                folder / name / "home",
                {**urls, "WHALEFALL_BROKER_URL": orders.url(address), "WHALEFALL_PARALLEL_INSTANCES": "1", **more},
            )
            configured.folder.mkdir(parents=True)
            stack.callback(configured.end)
            return configured

        centre = home("up", "127.0.0.1", {"WHALEFALL_TIMEZONE": TIMEZONE.key, "WHALEFALL_RETRY_MINUTES": "600"})
        _configured(centre)
        centre.succeed("store", "migrate", seconds=300)
        store = stack.enter_context(closing(Database(parse_url(cluster.url("whalefall")), TIMEZONE)))
        sites: dict[str, Site] = {}
        for zone in (CENTRE, *ZONES):
            inside = networks.get(zone)
            make = (folder / zone / "server", inside.inside if inside else "127.0.0.1")
            server, secret = inside.do(_monitored, *make) if inside else _monitored(*make)
            stack.callback(server.stop)
            # A test that lets a server stand still does so for longer than a minute.
            own = {"MONITOR_PASSWORD": secret, "WHALEFALL_ZONES": zone, "WHALEFALL_STATEMENT_TIMEOUT_SECONDS": "300"}
            sites[zone] = Site(zone, server, home(zone, inside.centre if inside else "127.0.0.1", own), inside)
            login = ("--username", "monitor", "--secret", "env:MONITOR_PASSWORD", "--zone", zone)
            centre.succeed("instances", "add", zone, "--engine", "postgresql", "--host", server.host, "--port", str(server.port), *login)
        up = stack.enter_context(running(centre, free_port()))
        for site in sites.values():
            stack.callback(site.end_worker)
            site.start_worker()
        made = Installation(up, store, cluster, orders, sites)
        made.wait_for_workers()
        yield made
