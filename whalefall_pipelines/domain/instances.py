"""The fleet: what an instance is, which of its databases count, and when a listing is believed.

How instances are stored is in `store/instances.py`; how servers are asked is in `fleet/`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Self


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

    # Amazon RDS has a database or tablespace of its own. PostgreSQL's `postgres` is a database like any other: people keep data in it.
    POSTGRESQL = "postgresql", 5432, ("template0", "template1")
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
    """One monitored server as registered. `secret` is a reference or a ciphertext, never a password in the clear."""

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


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """What the store knows of one database. `absent_since_date` is set while the guard keeps it without it being listed."""

    database_name: str
    is_active: bool
    absent_since_date: date | None = None


@dataclass(frozen=True, slots=True)
class InventoryChange:
    """What one listing does to an inventory; every name stands in exactly one of the tuples."""

    created: tuple[str, ...]
    refreshed: tuple[str, ...]
    reactivated: tuple[str, ...]
    deactivated: tuple[str, ...]
    held: tuple[str, ...]

    @property
    def listed(self) -> tuple[str, ...]:
        """The databases that exist today."""
        return self.created + self.refreshed + self.reactivated


def compare_inventory(known: Iterable[InventoryEntry], listed: Iterable[str], day: date, hidden: Iterable[str] = ()) -> InventoryChange:
    """Compare a listing with the inventory; `listed` and `hidden` are what the filter let through and what it kept back.

    A hidden database leaves the inventory at once: a person left it out. A listing that is empty, or that lacks more than half of at
    least four active databases, is not believed: what it lacks is held, and only a second such listing on a later day deactivates it
    (domain.md section 3).
    """
    by_name = {entry.database_name: entry for entry in known}
    present = sorted(set(listed))
    active = {name for name, entry in by_name.items() if entry.is_active}
    left_out = active.intersection(hidden)
    expected = active - left_out
    gone = sorted(expected.difference(present))
    doubtful = bool(gone) and (not present or (len(expected) >= 4 and len(gone) * 2 > len(expected)))
    confirmed = {name for name in gone if (since := by_name[name].absent_since_date) is not None and since < day}
    held = [name for name in gone if doubtful and name not in confirmed]
    return InventoryChange(
        created=tuple(name for name in present if name not in by_name),
        refreshed=tuple(name for name in present if name in active),
        reactivated=tuple(name for name in present if name in by_name and name not in active),
        deactivated=tuple(sorted(left_out.union(gone).difference(held))),
        held=tuple(held),
    )
