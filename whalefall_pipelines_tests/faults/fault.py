"""What a row of the fault matrix is, and how pytest selects it. The rows are `matrix.py`."""

from dataclasses import dataclass, replace
from enum import StrEnum

import pytest
from _pytest.mark import ParameterSet

# Where the fault is: a server of this engine, fake servers, or our own store.
POSTGRESQL, MARIADB, MYSQL, SQLSERVER, ORACLE = "PostgreSQL", "MariaDB", "MySQL", "SQL Server", "Oracle"
FAKE, STORE = "fake", "store"
ENGINES = (POSTGRESQL, MARIADB, SQLSERVER, ORACLE)
UNREACHED, UNUSABLE = "DATABASE_CONNECTION_ERROR", "SYNC_DATA_ERROR"
OUR_STORE, BROKE, DIED = "DATABASE_QUERY_ERROR", "INTERNAL_ERROR", "RUN_DIED"
NOTHING = "Nothing to heal."


class Where(StrEnum):
    """What runs under the fault."""

    SERVICE = "service"  # the real service, in the test's process
    PROCESS = "process"  # a Dagster run in its own process, started by `whalefall collect`
    DAEMON = "daemon"  # `whalefall up`, with the daemon and its sensors


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `code`, `reasons`, `attempts` and `says` are in the record and the gaps of the server under fault.

    No code is a success; `ends_run` when the session fails as a whole. `sees` and `heals` are its texts in the documents. Where it is
    slow, `make test` leaves it out.
    """

    name: str
    engines: tuple[str, ...]
    sees: str
    heals: str
    code: str | None = None
    reasons: tuple[str, ...] = ()
    attempts: int = 1
    says: str = ""
    where: Where = Where.SERVICE
    slow_at: tuple[str, ...] = ()
    ends_run: bool = False

    def at(self, *engines: str) -> "Fault":
        """The same fault, run elsewhere."""
        return replace(self, engines=engines)

    def marks(self, engine: str) -> tuple[pytest.MarkDecorator, ...]:
        """The pytest marks of this fault."""
        return (pytest.mark.faults, *([pytest.mark.slow] if engine in self.slow_at else []))

    @property
    def outcome(self) -> str:
        """The outcome, for the table of a test run."""
        if self.ends_run:
            return f"session failed{f', record {self.code}' if self.code else ''}"
        what = self.code or ("measured" if not self.reasons else "partly measured")
        return f"{what} ({', '.join(self.reasons)})" if self.reasons else what


def parameters(faults: tuple[Fault, ...]) -> list[ParameterSet]:
    """Each fault with each of its engines, as the parameters of a test."""
    return [
        pytest.param(fault, engine, id=f"{fault.name}-{engine}".replace(" ", "_"), marks=fault.marks(engine))
        for fault in faults
        for engine in fault.engines
    ]
