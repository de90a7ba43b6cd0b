"""The demo's servers, their databases, and the monitoring login that whalefall uses on them.

There are real PostgreSQL clusters of as many major versions as this machine has, MariaDB if it is installed, one registered server that is
down, and one server without its GRANT, with a database that the login may not measure. `history.py` simulates their history.
"""

import itertools
import os
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import yaml

from whalefall_pipelines import queries
from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.fleet.mysql.account_grants import create_view, grant_accounts, grant_table
from whalefall_pipelines.runtime.local_servers import mariadb_binaries
from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import available, made_by

MONITOR = "whalefall_monitor"
# Sizes at which servers are full, so that there is a runway of some months. WAL, some segments of 16 MiB, is used space, too.
CAPACITY_LIMITS = {"orders": "200MiB", "web": "96MiB"}
# Nothing listens on the discard port, so this is a server that is down.
DOWN_NAME, DOWN_PORT = "legacy", 9
# Numbers of rows of about 300 bytes. An empty PostgreSQL database takes 7 MiB.
POSTGRES_DATABASES: tuple[tuple[str, dict[str, int]], ...] = (
    ("orders", {"shop": 160_000, "billing": 45_000}),
    ("analytics", {"events": 320_000, "staging": 20_000}),
    ("platform", {"auth": 8_000, "audit": 60_000, "Mixed Case; 日本": 2_000}),
)
FORBIDDEN = ("platform", "audit")
# The database with the accounts of a company, on a server that shows all of them.
STAFFED = ("orders", "billing")
# The database with a table that grows between yesterday and today. The tables of its server are read by their tag.
GROWING = ("orders", "shop")
MARIADB_NAME, MARIADB_DATABASES = "web", ("wordpress", "forum")
# The tag of a server whose tables are read by schedule, beside that of the demo.
_READ = {"env": "demo", "tables": "weekly"}
# Durability is off, because the demo's data can be recreated. WAL counts as used, so it stays small beside the databases.
_POSTGRES_OPTIONS = (
    *("fsync=off", "full_page_writes=off", "min_wal_size=32MB", "max_wal_size=64MB"),
    *("shared_buffers=16MB", "max_connections=20", "jit=off", "autovacuum=off"),
)


@dataclass(frozen=True, slots=True)
class DemoFleet:
    """The demo's servers in `folder`. `postgres_bin` is the first place to look for PostgreSQL."""

    folder: Path
    postgres_bin: Path | None = None

    @property
    def fleet_file(self) -> Path:
        """The fleet as `whalefall instances import` reads it."""
        return self.folder / "fleet.yaml"

    @property
    def _password_file(self) -> Path:
        return self.folder / "monitor.password"

    @property
    def server_count(self) -> int:
        """The number of servers to start. MariaDB is counted even if it is not installed."""
        return len(POSTGRES_DATABASES) + 1

    def start(self, say: Callable[[str], None]) -> None:
        """Start and fill the servers in parallel, if they do not exist yet, and write the fleet file. `say` gets a message per server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._password_file.exists():
            descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(18))
        password = self._password_file.read_text()
        maria = self._mariadb()
        if maria is None:
            say("mariadbd is not installed (apt-get install mariadb-server-core), so the demo fleet has only PostgreSQL servers")
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(_fill_postgres, name, cluster, password) for name, cluster in self._clusters()]
            jobs += [pool.submit(_fill_mariadb, maria, password)] if maria else []
            for job in as_completed(jobs):
                say(job.result())
        self._write_fleet_file(maria)

    def change_accounts(self) -> None:
        """Grant what was not granted yesterday, so that today has changes to show."""
        cluster = dict(self._clusters())[STAFFED[0]]
        administer(cluster, queries.load("demo/postgresql/change_accounts"), database=STAFFED[1])

    def grow(self) -> None:
        """Fill one table, so that today has growth to explain."""
        administer(dict(self._clusters())[GROWING[0]], queries.load("demo/postgresql/grow_lines"), database=GROWING[1])

    def stop(self) -> list[str]:
        """Stop the running servers, and return their names."""
        if not self.folder.exists():
            return []
        stopped = [name for name, cluster in self._clusters() if cluster.stop()]
        maria = self._mariadb()
        return [*stopped, MARIADB_NAME] if maria and maria.stop() else stopped

    def _clusters(self) -> list[tuple[str, PostgresCluster]]:
        here = {binaries.major: binaries.bin_dir for binaries in reversed([*available(self.postgres_bin)]) if binaries.major >= 15}
        newest = itertools.cycle(sorted(here)[-3:])
        folders = [self.folder / name for name, _ in POSTGRES_DATABASES]
        return [
            (folder.name, PostgresCluster(_binaries(folder, here, next(newest)), folder, options=_POSTGRES_OPTIONS)) for folder in folders
        ]

    def _mariadb(self) -> MariadbServer | None:
        binaries = mariadb_binaries.find()
        return MariadbServer(binaries, self.folder / MARIADB_NAME) if binaries else None

    def _write_fleet_file(self, maria: MariadbServer | None) -> None:
        ports = [(name, "postgresql", cluster.port) for name, cluster in self._clusters()]
        ports += [(MARIADB_NAME, "mysql", maria.port)] if maria else []
        ports.append((DOWN_NAME, "postgresql", DOWN_PORT))
        document = {
            "credentials": [{"name": "demo", "username": MONITOR, "secret": f"file:{self._password_file}"}],
            "defaults": {"credential": "demo", "host": "127.0.0.1", "tags": {"env": "demo"}},
            "instances": [
                {
                    "name": name,
                    "engine": engine,
                    "port": port,
                    **({"capacity_limit": CAPACITY_LIMITS[name]} if name in CAPACITY_LIMITS else {}),
                    **({"tags": _READ} if name == GROWING[0] else {}),
                }
                for name, engine, port in ports
            ],
        }
        self.fleet_file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _binaries(folder: Path, here: Mapping[int, Path], major: int) -> Path:
    """The binaries of the version that created the server's data, or of `major` if there is no data yet."""
    major = made_by(folder / "data") or major
    if major not in here:
        raise LocalServerError(
            f"The demo's server {folder.name} was created by PostgreSQL {major}, which is no longer installed. Delete {folder}, and "
            "run the demo again to create it with another version."
        )
    return here[major]


def _fill_postgres(name: str, cluster: PostgresCluster, password: str) -> str:
    cluster.start()
    if not administer(cluster, queries.load("demo/postgresql/find_role"), parameters={"role": MONITOR}):
        administer(cluster, queries.load("demo/postgresql/create_role"), identifiers={"role": MONITOR}, literals={"password": password})
    if name != FORBIDDEN[0]:
        administer(cluster, queries.load("demo/postgresql/grant_role"), identifiers={"role": MONITOR})
    databases = dict(POSTGRES_DATABASES)[name]
    for database, row_count in databases.items():
        if not administer(cluster, queries.load("demo/postgresql/find_database"), parameters={"database": database}):
            administer(cluster, queries.load("demo/postgresql/create_database"), identifiers={"database": database})
        administer(cluster, queries.load("demo/postgresql/fill_database"), database=database, parameters={"row_count": row_count})
        if (name, database) == FORBIDDEN:
            administer(cluster, queries.load("demo/postgresql/forbid_database"), identifiers={"database": database})
        if (name, database) == GROWING:
            administer(cluster, queries.load("demo/postgresql/create_lines"), database=database)
        if (name, database) == STAFFED:
            administer(cluster, queries.load("demo/postgresql/create_accounts"), database=database)
    return f"{name}: PostgreSQL on 127.0.0.1:{cluster.port}, {len(databases)} databases of its own"


def _fill_mariadb(server: MariadbServer, password: str) -> str:
    server.start()
    server.administer(queries.load("demo/mariadb/create_login"), parameters={"password": password})
    server.administer(queries.load("demo/mariadb/grant_login"))
    for database in MARIADB_DATABASES:
        steps = (f"create_{database}", f"create_{database}_entries", f"fill_{database}")
        server.administer(*(queries.load(f"demo/mariadb/{step}") for step in steps))
    server.administer(*(queries.load(f"demo/mariadb/{step}") for step in ("create_application", "grant_application")))
    server.administer(*_account_grants(f"'{MONITOR}'@'%'"))
    return f"{MARIADB_NAME}: MariaDB on 127.0.0.1:{server.port}, {len(MARIADB_DATABASES)} databases of its own"


def _account_grants(grantee: str) -> list[str]:
    """What `whalefall instances test` asks for, so that the login reads accounts without hashes."""
    tables = ("db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "roles_mapping")
    grants = [grant_accounts("mariadb", grantee), *(grant_table(table, grantee) for table in tables), create_view("mariadb", grantee)]
    return [statement for grant in grants for statement in grant.removesuffix(";").split("; ")]
