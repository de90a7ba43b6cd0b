"""What every kind of question to a monitored server shares: deadlines, the connection's Protocol, and how a question finds its adapter.

A question is a constant in a module here (`sizes.SIZES`), with a Protocol of its own. Its adapter for an engine is the module of the same
name in the engine's folder (`postgresql/sizes.py`), with a `connect` function. Its statements are in `sql/probes/<engine>/`.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity


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
    """A privilege that the login should have, and the statement that grants it. Without an optional one, most of it can be read."""

    purpose: str
    statement: str
    is_held: bool
    is_optional: bool = False


class Probe(Protocol):
    """One open, read-only connection to one monitored server, whatever the question.

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

    def identity(self) -> ServerIdentity | None:
        """The identity of the server; None if it has none, or if the login may not read it."""
        ...

    def privileges(self) -> Sequence[Privilege]:
        """The least privileges that a login needs for this question, and which of them this login has."""
        ...


P_co = TypeVar("P_co", bound=Probe, covariant=True)


@dataclass(frozen=True, slots=True)
class Question(Generic[P_co]):
    """A kind of question, answered by probes of the type `P_co`. `name` is the name of its adapters' modules."""

    name: str


class Fleet(Protocol):
    """Opens connections to the monitored servers."""

    def connect(
        self, question: Question[P_co], instance: Instance, login: Login, *, spent_seconds: float = 0
    ) -> AbstractContextManager[P_co]:
        """Open one connection; leaving the context closes it. `spent_seconds` of the probe's deadline are already used.

        Raises:
            UnreachableError: no connection within the deadline.
            LoginRejectedError: the server refuses this login.
        """
        ...

    def shut_all(self) -> None:
        """Shut every connection that is open or being opened. It may be called from any thread."""
        ...
