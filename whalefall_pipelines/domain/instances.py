"""The fleet: what an instance is, and which of its databases count.

How instances are stored is in `inventory/store/instances.py`; how servers are asked is in `fleet/`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

# What Amazon, Azure, Google and DigitalOcean keep to themselves on servers that they manage: no privilege on it can be granted.
_OF_POSTGRESQL_SERVICES = ("rdsadmin", "azure_maintenance", "azure_sys", "cloudsqladmin", "alloydbadmin", "alloydbmetadata", "_dodb")


class Engine(StrEnum):
    """The server families that can be monitored. MariaDB is `mysql` with its own version text.

    A line here registers an engine: its name, which is that of its adapter in `fleet/` and of its statements in `sql/probes/` as well,
    the port that its servers listen on, what belongs to the server itself, and where servers write down sizes of their own, from which
    a day that is over can be recovered; None where they do not.
    """

    default_port: int
    system_databases: frozenset[str]
    history: str | None

    def __new__(cls, name: str, default_port: int, system_databases: Iterable[str] = (), history: str | None = None) -> Self:
        """Make one whose value is its name."""
        engine = str.__new__(cls, name)
        engine._value_ = name
        engine.default_port, engine.system_databases, engine.history = default_port, frozenset(system_databases), history
        return engine

    # PostgreSQL's `postgres` is a database like any other: people keep data in it.
    POSTGRESQL = "postgresql", 5432, ("template0", "template1", *_OF_POSTGRESQL_SERVICES)
    MYSQL = "mysql", 3306, ("information_schema", "performance_schema", "mysql", "sys")
    SQLSERVER = "sqlserver", 1433, ("master", "model", "msdb", "tempdb", "rdsadmin"), "msdb"
    ORACLE = "oracle", 1521, ("SYSTEM", "SYSAUX", "RDSADMIN"), "AWR"


def engines_with_history(*, awr_licensed: bool) -> frozenset[Engine]:
    """The engines whose history may be asked: AWR needs a licence of its own."""
    return frozenset(engine for engine in Engine if engine.history and (awr_licensed or engine.history != "AWR"))


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and the password behind it, in the clear: it lives only while a connection is opened."""

    username: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What a server calls itself. A physical replica has the name of its primary; both say which of the two they are.

    `started_at` tells two servers with one name apart: text that differs between any two server processes, None where there is none.
    """

    name: str
    is_replica: bool = False
    started_at: str | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One monitored server as registered. `secret` is a reference or a ciphertext, never a password in the clear.

    `server_identity` and `server_version` are what the server called itself when it was last asked; None: it never told.
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
    server_identity: ServerIdentity | None = None
    server_version: str | None = None

    @property
    def address(self) -> str:
        """Where it listens, for messages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DatabaseFilter:
    """Databases to leave out of one engine: exact names, and SQL LIKE patterns (`%`, `_`, `\\` escapes), case-sensitive."""

    names: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def hides(self, database_name: str) -> bool:
        """Tell whether this database is left out."""
        return database_name in self.names or any(_like(pattern).fullmatch(database_name) for pattern in self.patterns)


SYSTEM_DATABASES: Mapping[Engine, DatabaseFilter] = {engine: DatabaseFilter(names=engine.system_databases) for engine in Engine}


def _like(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append(re.escape(next(characters, "\\")))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.compile("".join(parts), re.DOTALL)
