"""The fleet: instances, their engines and identities, and the filter of their databases.

`inventory/store/instances.py` stores instances; `fleet/` probes the servers.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

# Databases that Amazon, Azure, Google and DigitalOcean reserve on managed servers; no privilege on them can be granted.
_OF_POSTGRESQL_SERVICES = ("rdsadmin", "azure_maintenance", "azure_sys", "cloudsqladmin", "alloydbadmin", "alloydbmetadata", "_dodb")


class Engine(StrEnum):
    """The server families that can be monitored. MariaDB is `mysql` with its own version text.

    A line here registers an engine: its name (also that of its adapter in `fleet/` and of its statements in `sql/probes/`), its default
    port, its system databases, and the history that its servers keep, from which past days can be recovered; None if there is none.
    """

    default_port: int
    system_databases: frozenset[str]
    history: str | None

    def __new__(cls, name: str, default_port: int, system_databases: Iterable[str] = (), history: str | None = None) -> Self:
        """Create a member whose value is its name."""
        engine = str.__new__(cls, name)
        engine._value_ = name
        engine.default_port, engine.system_databases, engine.history = default_port, frozenset(system_databases), history
        return engine

    # PostgreSQL's `postgres` is not a system database: people store data in it.
    POSTGRESQL = "postgresql", 5432, ("template0", "template1", *_OF_POSTGRESQL_SERVICES)
    MYSQL = "mysql", 3306, ("information_schema", "performance_schema", "mysql", "sys")
    SQLSERVER = "sqlserver", 1433, ("master", "model", "msdb", "tempdb", "rdsadmin"), "msdb"
    ORACLE = "oracle", 1521, ("SYSTEM", "SYSAUX", "RDSADMIN"), "AWR"


# What people call an engine otherwise.
_OTHER_NAMES = {"mariadb": Engine.MYSQL, "postgres": Engine.POSTGRESQL}


def find_engine(name: str) -> Engine | None:
    """The engine with this name, which may be `mariadb` or `postgres` as well; None if there is none."""
    return _OTHER_NAMES.get(name) or next((engine for engine in Engine if str(engine) == name), None)


def engines_with_history(*, awr_licensed: bool) -> frozenset[Engine]:
    """The engines whose history may be read. AWR needs a licence of its own."""
    return frozenset(engine for engine in Engine if engine.history and (awr_licensed or engine.history != "AWR"))


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and its password in plain text. It exists only while a connection is opened."""

    username: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The identity of a server, as it reports it. A physical replica has the name of its primary and differs in `is_replica`.

    `started_at` distinguishes two servers with the same name: a text that differs between any two server processes, None if unknown.
    """

    name: str
    is_replica: bool = False
    started_at: str | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One registered server. `secret` is a reference or a ciphertext, never a password in plain text.

    `zone` is None for the centre. `server_identity` and `server_version` are from the last probe; None if unknown.
    """

    instance_id: int
    name: str
    engine: Engine
    host: str
    port: int
    username: str
    secret: str | None = field(default=None, repr=False)
    default_database: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None
    zone: str | None = None
    server_identity: ServerIdentity | None = None
    server_version: str | None = None

    @property
    def address(self) -> str:
        """The address, for messages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class NameFilter:
    """Exact names, and SQL LIKE patterns (`%`, `_`, `\\` escapes), case-sensitive."""

    names: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def matches(self, name: str) -> bool:
        """Tell whether it has this name."""
        return name in self.names or any(like_expression(pattern).fullmatch(name) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class DatabaseFilter(NameFilter):
    """The excluded databases of one engine, and the `accounts` that count as the server's own, beyond those that the server says are."""

    accounts: NameFilter = NameFilter()

    def hides(self, database_name: str) -> bool:
        """Tell whether this database is excluded."""
        return self.matches(database_name)


# What cloud services and Windows make on a server for themselves; no catalogue says so.
_ACCOUNTS_OF_SERVICES = {
    Engine.POSTGRESQL: NameFilter(
        frozenset({"rdsadmin", "rdstopmgr", "rdsrepladmin", "azuresu"}), ("rds\\_%", "cloudsql%", "alloydb%", "azure\\_%")
    ),
    Engine.MYSQL: NameFilter(patterns=("rdsadmin@%", "rdsrepladmin@%", "cloudsql%@%", "azure\\_superuser@%")),
    Engine.SQLSERVER: NameFilter(frozenset({"rdsa", "NT AUTHORITY\\SYSTEM"}), ("NT SERVICE\\\\%",)),
    Engine.ORACLE: NameFilter(frozenset({"RDSADMIN"})),
}
SYSTEM_DATABASES: Mapping[Engine, DatabaseFilter] = {
    engine: DatabaseFilter(engine.system_databases, accounts=_ACCOUNTS_OF_SERVICES.get(engine, NameFilter())) for engine in Engine
}


def like_expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of a SQL LIKE pattern, case-sensitive."""
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append(re.escape(next(characters, "\\")))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.compile("".join(parts), re.DOTALL)
