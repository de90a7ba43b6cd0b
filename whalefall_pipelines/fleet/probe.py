"""What an engine adapter must offer. One adapter is one module here with a `connect` function, one folder of statements in `sql/probes/`,
and one line in `Engine` (`domain/instances.py`), all three of the same name.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, RecoveredSize


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a visit may wait, in seconds: for the connection, for one statement, for the whole instance."""

    connect_seconds: float = 10
    statement_seconds: float = 60
    instance_seconds: float = 300

    def after(self, spent_seconds: float) -> "Deadlines":
        """What is left for another try of the same visit; never nothing at all, so that it fails by its deadline."""
        return replace(self, instance_seconds=max(0.1, self.instance_seconds - spent_seconds))


@dataclass(frozen=True, slots=True)
class Right:
    """Something that the login should be able to do, and the statement that lets it; without an optional one most can be measured."""

    purpose: str
    statement: str
    is_held: bool
    is_optional: bool = False


class Probe(Protocol):
    """One open, read-only connection to one monitored server.

    Every method raises only `TargetError`s, and returns or raises before the deadlines of the visit.
    """

    @property
    def server_version(self) -> str:
        """The server's own version text, for example `PostgreSQL 18.6` or `10.11.19-MariaDB`."""
        ...

    @property
    def driver(self) -> str:
        """The library that the connection goes through, with its version."""
        ...

    def rights(self) -> Sequence[Right]:
        """The least that a login needs here, and what of it this one has."""
        ...

    def identity(self) -> ServerIdentity | None:
        """What the server calls itself; None where it does not, or where the login may not ask."""
        ...

    def list_databases(self) -> Mapping[str, str | None]:
        """Every database of the server by name, system databases included, with the server's own identifier of it.

        The identifier survives a rename and is another one after the database was dropped and created again; None where the engine
        has none.
        """
        ...

    def grant_to_list(self) -> str | None:
        """The statement without which the listing may leave databases out; None where it shows all of them."""
        ...

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """One outcome for each of these databases, in any order, by as few statements as the engine allows."""
        ...

    def measure_shared(self) -> int | None:
        """Bytes on the server's disk that belong to no database (`shared_bytes` of domain.md section 2); None where a part is unknown."""
        ...

    def recover_sizes(
        self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo, /
    ) -> Sequence[RecoveredSize]:
        """What the server's own history says of these databases on these days of this time zone, at most one row a database and day.

        Days of which it says nothing have no row; an engine that keeps no history returns nothing at all.
        """
        ...


class ProbeDefaults:
    """What an adapter inherits and overrides where its engine differs: no identity, whole listings, shared space unknown, no history."""

    def identity(self) -> ServerIdentity | None:
        """Unknown."""
        return None

    def grant_to_list(self) -> str | None:
        """None: what the login may not see is an error of the listing."""
        return None

    def measure_shared(self) -> int | None:
        """Unknown."""
        return None

    def recover_sizes(self, _names: Sequence[str], _first_day: date, _last_day: date, _timezone: ZoneInfo, /) -> Sequence[RecoveredSize]:
        """Nothing."""
        return ()


class Fleet(Protocol):
    """The way to every monitored server."""

    def connect(self, instance: Instance, login: Login, *, spent_seconds: float = 0) -> AbstractContextManager[Probe]:
        """Open one connection; leaving the context closes it. `spent_seconds` of the visit's deadline are gone already.

        Raises:
            UnreachableError: no connection within the deadline.
            LoginRejectedError: the server refuses this login.
        """
        ...

    def shut_all(self) -> None:
        """Break every connection that is open or being opened, at once, from any thread."""
        ...
