"""The Protocol of an engine adapter. An adapter is a module here with a `connect` function, a folder of statements in `sql/probes/`, and a
line in `Engine` (`domain/instances.py`), all with the same name.
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
    """The deadlines of a probe in seconds: for the connection, for one statement, and for the whole instance."""

    connect_seconds: float = 10
    statement_seconds: float = 60
    instance_seconds: float = 300

    def after(self, spent_seconds: float) -> "Deadlines":
        """The remaining deadlines for a retry of the same probe. They are never zero, so that the retry fails by its deadline."""
        return replace(self, instance_seconds=max(0.1, self.instance_seconds - spent_seconds))


@dataclass(frozen=True, slots=True)
class Privilege:
    """A privilege that the login should have, and the statement that grants it. Without an optional one, most sizes can be measured."""

    purpose: str
    statement: str
    is_held: bool
    is_optional: bool = False


class Probe(Protocol):
    """One open, read-only connection to one monitored server.

    Every method raises only `TargetError`s, and returns or raises within the deadlines of the probe.
    """

    @property
    def server_version(self) -> str:
        """The server's own version text, for example `PostgreSQL 18.6` or `10.11.19-MariaDB`."""
        ...

    @property
    def driver(self) -> str:
        """The library that the connection goes through, with its version."""
        ...

    def privileges(self) -> Sequence[Privilege]:
        """The least privileges that a login needs here, and which of them this login has."""
        ...

    def identity(self) -> ServerIdentity | None:
        """The identity of the server; None if it has none, or if the login may not read it."""
        ...

    def list_databases(self) -> Mapping[str, str | None]:
        """Every database of the server by name, system databases included, with the server's own identifier of it.

        The identifier survives a rename and changes if the database is dropped and created again; None if the engine has none.
        """
        ...

    def grant_to_list(self) -> str | None:
        """The GRANT statement without which the listing may be incomplete; None if it is complete."""
        ...

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """One outcome for each of these databases, in any order, by as few statements as the engine allows."""
        ...

    def measure_shared(self) -> int | None:
        """Bytes on the server's disk that belong to no database (`shared_bytes` of domain.md section 2); None if a part is unknown."""
        ...

    def recover_sizes(
        self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo, /
    ) -> Sequence[RecoveredSize]:
        """The sizes of these databases on these days in this time zone from the server's own history, at most one per database and day.

        Days without a record have no row; an engine without a history returns nothing.
        """
        ...


class ProbeDefaults:
    """Defaults that an adapter may override: no identity, complete listings, unknown shared space, no history."""

    def identity(self) -> ServerIdentity | None:
        """Unknown."""
        return None

    def grant_to_list(self) -> str | None:
        """None: an incomplete listing raises an error instead."""
        return None

    def measure_shared(self) -> int | None:
        """Unknown."""
        return None

    def recover_sizes(self, _names: Sequence[str], _first_day: date, _last_day: date, _timezone: ZoneInfo, /) -> Sequence[RecoveredSize]:
        """Nothing."""
        return ()


class Fleet(Protocol):
    """Opens connections to the monitored servers."""

    def connect(self, instance: Instance, login: Login, *, spent_seconds: float = 0) -> AbstractContextManager[Probe]:
        """Open one connection; leaving the context closes it. `spent_seconds` of the probe's deadline are already used.

        Raises:
            UnreachableError: no connection within the deadline.
            LoginRejectedError: the server refuses this login.
        """
        ...

    def shut_all(self) -> None:
        """Shut every connection that is open or being opened. It may be called from any thread."""
        ...
