"""Reads the accounts of every instance in parallel, and retries those that failed quickly. `write_snapshot.py` writes what was read.

The accounts of a past day cannot be read any more: it stays not observed, and the observations around it bound what is known.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from whalefall_pipelines.accounts.snapshot import AccountSnapshot
from whalefall_pipelines.accounts.write_snapshot import AccountsOutcome, write_failure, write_snapshot
from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.domain.days import measurable_day
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError, TargetError, WhalefallError
from whalefall_pipelines.fleet.accounts import ACCOUNTS
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Fleet
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.each_instance import POLL_SECONDS, as_whalefall_error, each_instance
from whalefall_pipelines.sessions.retries import NEEDS_A_PERSON
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import OUTAGE_SECONDS, retry_while_unavailable

Result = TypeVar("Result")
# The pause before each further attempt within one run, for failures that came quickly, in seconds. The sensor retries later.
PAUSES = (1.0,)
QUICK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class AccountSync:
    """Reads accounts. It holds the store, the connections to the servers, and the settings of this installation."""

    database: Database
    fleet: Fleet
    secrets: SecretBox
    timezone: ZoneInfo
    grace: timedelta
    parallel: int
    pauses: Sequence[float] = PAUSES
    outage_seconds: float = OUTAGE_SECONDS
    clock: Clock = system_clock
    check: Callable[[], None] = lambda: None
    stopped: threading.Event = field(default_factory=threading.Event)

    def sync_day(self, targets: Sequence[Instance], day: date, session_id: UUID | None) -> Iterator[AccountsOutcome]:
        """Read every instance, retry those that failed quickly after growing pauses, and yield each outcome as it ends.

        Raises:
            StoreError: the store was unavailable for too long, so that not even failures can be stored.
            SessionEndedError: the session was ended elsewhere; no further instance is started.
        """
        waiting = list(targets)
        for pause in (*self.pauses, None):
            again: list[Instance] = []
            for instance, outcome in each_instance(
                waiting,
                lambda instance, pause=pause: self.sync_instance(instance, day, session_id, is_last=pause is None),
                parallel=self.parallel,
                interrupt=self.stop,
                check=self.check,
                claim=lambda next_ones: self._claim(next_ones, session_id),
            ):
                if isinstance(outcome, Exception):
                    yield self._fail(instance, day, session_id, as_whalefall_error(outcome), seconds=0)
                elif outcome is None:
                    again.append(instance)
                else:
                    yield outcome
            if not again or pause is None:
                return
            self._wait(pause)
            waiting = again

    def sync_instance(self, instance: Instance, day: date, session_id: UUID | None, *, is_last: bool) -> AccountsOutcome | None:
        """Read one instance and write the outcome. None: it failed quickly and another attempt follows."""
        started = time.monotonic()
        try:
            snapshot = self.probe(instance, day)
            seconds = time.monotonic() - started
            return self._write(lambda: write_snapshot(self.database, instance, day, session_id, snapshot, seconds=seconds))
        except TargetError as error:
            seconds = time.monotonic() - started
            if error.is_transient and error.reason not in NEEDS_A_PERSON and seconds < QUICK_SECONDS and not is_last:
                return None
            return self._fail(instance, day, session_id, error, seconds=seconds)

    def probe(self, instance: Instance, day: date) -> AccountSnapshot:
        """Read the accounts of one server and what they may do, and write nothing.

        Raises:
            TargetError: the server cannot be read, it is a different server than before, or the day is over.
        """
        if measurable_day([day], self.clock(), self.timezone, self.grace) is None:
            raise SizesError(f"{day} was over before {instance.name!r} was reached.", reason=Reason.NOT_COLLECTED)
        login = self.secrets.reveal(instance.secret, instance.username, instance.name)
        with self.fleet.connect(ACCOUNTS, instance, login) as probe:
            refuse_another_server(instance, probe.identity(), probe.server_version)
            listing = probe.list_accounts()
            return AccountSnapshot(listing, probe.read_privileges(listing), self.clock())

    def stop(self) -> None:
        """Interrupt everything that waits for a server or for the store."""
        self.stopped.set()
        self.fleet.shut_all()

    def _fail(self, instance: Instance, day: date, session_id: UUID | None, error: WhalefallError, *, seconds: float) -> AccountsOutcome:
        return self._write(lambda: write_failure(self.database, instance, day, session_id, error, seconds=seconds))

    def _write(self, work: Callable[[], Result]) -> Result:
        return retry_while_unavailable(work, seconds=self.outage_seconds, stopped=self.stopped)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            time.sleep(min(POLL_SECONDS, max(0, until - time.monotonic())))

    def _claim(self, next_ones: Sequence[Instance], session_id: UUID | None) -> Sequence[Instance]:
        if session_id is None:
            return next_ones
        ids = [instance.instance_id for instance in next_ones]
        begun = self._write(lambda: sessions.start_records(self.database, session_id, ids))
        return [instance for instance in next_ones if instance.instance_id in begun]


def server_sync(settings: Settings, database: Database) -> AccountSync:
    """The synchronisation of the real servers with the settings of this installation."""
    deadlines = Deadlines(settings.connect_timeout_seconds, settings.statement_timeout_seconds, settings.instance_timeout_seconds)
    return AccountSync(
        database=database,
        fleet=ServerFleet(deadlines),
        secrets=SecretBox(settings),
        timezone=database.timezone,
        grace=settings.grace,
        parallel=settings.parallel_instances,
    )
