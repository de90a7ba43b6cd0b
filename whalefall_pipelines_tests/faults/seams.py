"""Points where a run is stopped on purpose: between its steps at one server, and at a statement or at the commit in the store.

A stop in the store is a trigger of the test that waits for an advisory lock held by the test.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import cast
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2.extensions import connection as Connection

from whalefall_pipelines.domain.accounts import AccountListing, AccountPrivileges
from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, RecoveredSize, SharedPart, Volume
from whalefall_pipelines.fleet.accounts import ACCOUNTS, AccountsProbe
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.fake import FakeFleet
from whalefall_pipelines.fleet.probe import P_co, Privilege, Question
from whalefall_pipelines.fleet.sizes import SIZES, SizesProbe
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import libpq_url

_KEY = 740_099


def nothing() -> None:
    """A step at which nothing happens."""


@dataclass
class Steps:
    """What happens between the steps of a probe of the server under fault."""

    before_connecting: Callable[[], object] = nothing
    before_listing: Callable[[], object] = nothing
    before_measuring: Callable[[], object] = nothing


class SteppedFleet:
    """Real and fake servers as one fleet; with the real ones, something may happen between the steps."""

    def __init__(self, servers: ServerFleet, fakes: FakeFleet, steps: Steps) -> None:
        self._servers, self._fakes, self._steps = servers, fakes, steps

    def connect(
        self, question: Question[P_co], instance: Instance, login: Login, *, spent_seconds: float = 0
    ) -> AbstractContextManager[P_co]:
        if instance.name in self._fakes.servers:
            return self._fakes.connect(question, instance, login, spent_seconds=spent_seconds)
        if question == ACCOUNTS:
            return cast("AbstractContextManager[P_co]", self._read_accounts(instance, login, spent_seconds))
        assert question == SIZES  # nothing else has steps here
        return cast("AbstractContextManager[P_co]", self._connect(instance, login, spent_seconds))

    def shut_all(self) -> None:
        self._servers.shut_all()
        self._fakes.shut_all()

    @contextmanager
    def _connect(self, instance: Instance, login: Login, spent_seconds: float) -> Generator[SizesProbe]:
        self._steps.before_connecting()
        with self._servers.connect(SIZES, instance, login, spent_seconds=spent_seconds) as probe:
            yield SteppedProbe(probe, self._steps)

    @contextmanager
    def _read_accounts(self, instance: Instance, login: Login, spent_seconds: float) -> Generator[AccountsProbe]:
        self._steps.before_connecting()
        with self._servers.connect(ACCOUNTS, instance, login, spent_seconds=spent_seconds) as probe:
            yield SteppedAccounts(probe, self._steps)


class SteppedAccounts:
    """A probe of the accounts of a real server; between its phases is the step `before_measuring`."""

    def __init__(self, probe: AccountsProbe, steps: Steps) -> None:
        self._probe, self._steps = probe, steps
        self.server_version, self.driver = probe.server_version, probe.driver

    def privileges(self) -> Sequence[Privilege]:
        return self._probe.privileges()

    def identity(self) -> ServerIdentity | None:
        return self._probe.identity()

    def list_accounts(self) -> AccountListing:
        self._steps.before_listing()
        return self._probe.list_accounts()

    def read_privileges(self, listing: AccountListing) -> AccountPrivileges:
        self._steps.before_measuring()
        return self._probe.read_privileges(listing)


class SteppedProbe:
    """A probe of a real server."""

    def __init__(self, probe: SizesProbe, steps: Steps) -> None:
        self._probe, self._steps = probe, steps
        self.server_version, self.driver = probe.server_version, probe.driver

    def privileges(self) -> Sequence[Privilege]:
        return self._probe.privileges()

    def identity(self) -> ServerIdentity | None:
        return self._probe.identity()

    def list_databases(self) -> Mapping[str, str | None]:
        self._steps.before_listing()
        return self._probe.list_databases()

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        self._steps.before_measuring()
        return self._probe.measure(database_names)

    def grant_to_list(self) -> str | None:
        return self._probe.grant_to_list()

    def measure_shared(self) -> Sequence[SharedPart]:
        return self._probe.measure_shared()

    def measure_volumes(self) -> Sequence[Volume]:
        return self._probe.measure_volumes()

    def recover_sizes(self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo) -> Sequence[RecoveredSize]:
        return self._probe.recover_sizes(database_names, first_day, last_day, timezone)


@dataclass(frozen=True, slots=True)
class Stop:
    """A statement in the store: `event` on `table`, of rows for which `condition` holds; with `at_commit`, the commit after it."""

    table: str
    event: str
    condition: str = "true"
    at_commit: bool = False


class Holder:
    """Holds the advisory lock that a stop waits for; its numbers are those of pg_locks."""

    def __init__(self, connection: Connection, first: int, second: int) -> None:
        self._connection, self._first, self._second = connection, first, second

    def wait_for_somebody(self, output: Callable[[], str] = lambda: "", *, seconds: float = 120, runs: int = 1) -> None:
        """Return when so many runs wait at the stop; `output` is their output, shown if they do not arrive.

        It is on its way for seconds, and for a minute where the machine has far more to do than it can.
        """
        deadline = time.monotonic() + seconds
        waiting = (
            "select 1 from pg_locks where locktype = 'advisory' and not granted and classid = %s and objid = %s "
            "and database = (select oid from pg_database where datname = current_database())"
        )
        while len(self._ask(waiting, self._first, self._second)) < runs:
            assert time.monotonic() < deadline, f"nobody came to the stop: {output()}"
            time.sleep(0.02)

    def let_go(self) -> None:
        """Let waiting runs continue, and stop no further ones."""
        self._ask("select pg_advisory_unlock_all()")

    def _ask(self, statement: str, *values: int) -> list[tuple[object, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()


@contextmanager
def held(store: Database, first: int, second: int) -> Generator[Holder]:
    """For the block, hold an advisory lock of two numbers that runs take, too."""
    with closing(psycopg2.connect(libpq_url(store.url))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s, %s)", (first, second))
        yield Holder(connection, first, second)


@contextmanager
def stopped_at(store: Database, stop: Stop) -> Generator[Holder]:
    """For the block, every run that reaches this statement waits there until the holder releases it."""
    kind = "create constraint trigger" if stop.at_commit else "create trigger"
    moment = "after" if stop.at_commit else "before"
    deferred = "deferrable initially deferred" if stop.at_commit else ""
    with closing(psycopg2.connect(libpq_url(store.url))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "create or replace function stand_still() returns trigger language plpgsql as $$ begin "
                f"perform pg_advisory_xact_lock_shared({_KEY}); return new; end $$"
            )
            # After a restart of the store, that of the stop before is still there.
            cursor.execute(f"drop trigger if exists stand_still on {stop.table}")
            cursor.execute(
                f"{kind} stand_still {moment} {stop.event} on {stop.table} {deferred} "
                f"for each row when ({stop.condition}) execute function stand_still()"
            )
            cursor.execute("select pg_advisory_lock(%s)", (_KEY,))
        holder = Holder(connection, 0, _KEY)
        try:
            yield holder
        finally:
            with contextlib.suppress(psycopg2.OperationalError):  # after the store was killed nobody holds the lock any more
                holder.let_go()
                with connection.cursor() as cursor:
                    cursor.execute(f"drop trigger if exists stand_still on {stop.table}")
