"""Collects one day: probes every instance in parallel, and retries those that failed quickly.

`write_snapshot.py` writes the result of a probe. Only today, or yesterday within the grace period, can be collected; `fill_gaps.py`
handles past days.
"""

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.write_snapshot import InstanceOutcome, Snapshot, write_failure, write_snapshot
from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.domain.days import measurable_day
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance, engines_with_history
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.errors import SessionEndedError, SizesError, StoreUnreachableError, TargetError, WhalefallError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Fleet
from whalefall_pipelines.fleet.sizes import SIZES, SizesProbe
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.inventory.take_inventory import Listing
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.each_instance import POLL_SECONDS, each_instance
from whalefall_pipelines.sessions.retries import NEEDS_A_PERSON
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.store.outage import OUTAGE_SECONDS, retry_while_unavailable

Result = TypeVar("Result")
# Attempts within one run, for failures that came quickly. A probe that used up its deadline is retried by a later run.
ATTEMPTS = 3
QUICK_SECONDS = 2.0
# Each pause before another attempt is this many times as long as the one before.
BACK_OFF = 3


@dataclass(frozen=True, slots=True)
class RetryLater:
    """A probe that failed after this many seconds and should be retried."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects instances. It holds the store, the connections to the servers, and the settings of this installation."""

    database: Database
    fleet: Fleet
    secrets: SecretBox
    filters: Mapping[Engine, DatabaseFilter]
    timezone: ZoneInfo
    grace: timedelta
    parallel: int
    max_gap_days: int = 14
    engines_with_history: frozenset[Engine] = engines_with_history(awr_licensed=False)
    inventory_only: bool = False
    instance_seconds: float = 300
    pause_seconds: float = 1.0
    outage_seconds: float = OUTAGE_SECONDS
    clock: Clock = system_clock
    check: Callable[[], None] = lambda: None
    stopped: threading.Event = field(default_factory=threading.Event)

    def collect_day(self, targets: Sequence[Instance], day: date, session_id: UUID | None) -> Iterator[InstanceOutcome]:
        """Probe every instance, retry those that failed quickly after growing pauses, and yield each outcome as it ends.

        Raises:
            StoreError: the store failed, or was unavailable for too long, so that not even failures can be stored.
            SessionEndedError: the session was ended elsewhere; no further instance is started.
        """
        self._write(lambda: ensure_months(self.database, [day]))
        spent = dict.fromkeys(targets, 0.0)
        for attempt in range(1, ATTEMPTS + 1):
            again: dict[Instance, float] = {}
            for instance, outcome in each_instance(
                list(spent),
                lambda instance, attempt=attempt, spent=spent: self.collect_instance(
                    instance, day, session_id, attempt=attempt, spent_seconds=spent[instance]
                ),
                parallel=self.parallel,
                interrupt=self.stop,
                check=self.check,
                claim=lambda next_ones: self._claim(next_ones, session_id),
            ):
                if isinstance(outcome, Exception):
                    yield self._write_failure(instance, day, session_id, as_whalefall_error(outcome), seconds=0)
                elif isinstance(outcome, RetryLater):
                    again[instance] = spent[instance] + outcome.seconds
                else:
                    yield outcome
            if not again:
                return
            paused = self._wait(self._pause_after(attempt))
            spent = {instance: seconds + paused for instance, seconds in again.items()}

    def stop(self) -> None:
        """Interrupt everything that waits for a server or for the store."""
        self.stopped.set()
        self.fleet.shut_all()

    def collect_instance(
        self, instance: Instance, day: date, session_id: UUID | None, *, attempt: int, spent_seconds: float
    ) -> InstanceOutcome | RetryLater:
        """Probe one instance and write the outcome, unless the probe failed quickly and should be retried.

        `spent_seconds` is the time of earlier attempts and pauses, without waiting for other instances: all attempts share one deadline.
        """
        started = time.monotonic()
        try:
            snapshot = self.probe(instance, day, spent_seconds=spent_seconds)
        except TargetError as error:
            seconds = time.monotonic() - started
            has_time = spent_seconds + seconds + self._pause_after(attempt) < self.instance_seconds
            is_worth_it = error.is_transient and error.reason not in NEEDS_A_PERSON
            if is_worth_it and seconds < QUICK_SECONDS and attempt < ATTEMPTS and has_time:
                return RetryLater(seconds)
            return self._write_failure(instance, day, session_id, error, seconds=seconds)
        seconds = time.monotonic() - started
        return self._write(lambda: write_snapshot(self.database, instance, day, session_id, snapshot, seconds=seconds))

    def _write_failure(
        self, instance: Instance, day: date, session_id: UUID | None, error: WhalefallError, *, seconds: float
    ) -> InstanceOutcome:
        return self._write(lambda: write_failure(self.database, instance, day, session_id, error, seconds=seconds))

    def _write(self, work: Callable[[], Result]) -> Result:
        return retry_while_unavailable(work, seconds=self.outage_seconds, stopped=self.stopped)

    def _pause_after(self, attempt: int) -> float:
        return self.pause_seconds * BACK_OFF ** (attempt - 1)

    def _wait(self, seconds: float) -> float:
        """Wait for about this long, and return the time that was waited."""
        jittered = seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
        until = time.monotonic() + jittered
        while time.monotonic() < until:
            self.check()
            time.sleep(min(POLL_SECONDS, max(0, until - time.monotonic())))
        return jittered

    def _claim(self, next_ones: Sequence[Instance], session_id: UUID | None) -> Sequence[Instance]:
        if session_id is None:
            return next_ones
        ids = [instance.instance_id for instance in next_ones]
        begun = self._write(lambda: sessions.start_records(self.database, session_id, ids))
        return [instance for instance in next_ones if instance.instance_id in begun]

    def probe(self, instance: Instance, day: date, *, spent_seconds: float = 0) -> Snapshot:
        """Read the databases of one server and their sizes, and write nothing. `spent_seconds` counts against the deadline.

        Raises:
            TargetError: the server cannot be probed, it is a different server than before, or the day is over.
        """
        if measurable_day([day], self.clock(), self.timezone, self.grace) is None:
            raise SizesError(f"{day} was over before {instance.name!r} was reached.", reason=Reason.NOT_COLLECTED)
        login = self.secrets.reveal(instance.secret, instance.username, instance.name)
        with self.fleet.connect(SIZES, instance, login, spent_seconds=spent_seconds) as probe:
            identity = probe.identity()
            refuse_another_server(instance, identity, probe.server_version)
            present = probe.list_databases()
            rule = self.filters[instance.engine]
            listed = {name: native_id for name, native_id in present.items() if not rule.hides(name)}
            hidden = tuple(name for name in present if rule.hides(name))
            grant = probe.grant_to_list()
            if grant and not listed:
                raise SizesError(
                    f"{instance.name!r} shows this login no database; run on that server: {grant}", reason=Reason.NO_PERMISSION
                )
            is_measured = bool(listed) and not self.inventory_only
            # The server's own databases are in its remainder, so that both together are the disk. What a person hides is not asked for.
            own = instance.engine.system_databases.intersection(hidden)
            try:
                outcomes = probe.measure([*listed, *sorted(own)]) if is_measured else ()
            except ValueError as error:
                raise SizesError(f"{instance.name!r} returned an impossible size: {error}", reason=Reason.SERVER_ERROR) from error
            return Snapshot(
                Listing(probe.server_version, identity, listed, hidden, self.clock(), grant),
                tuple(outcome for outcome in outcomes if outcome.database_name not in own),
                shared_bytes=_remainder(probe, outcomes, own) if is_measured else None,
                is_inventory_only=self.inventory_only,
            )


def _remainder(probe: SizesProbe, outcomes: Sequence[DatabaseSize | MissingSize], own: Collection[str]) -> int | None:
    """The bytes on the server's disk that belong to no database that counts; None where they are unknown."""
    shared_bytes = probe.measure_shared()
    if shared_bytes is None:
        return None
    return shared_bytes + sum(
        outcome.total_bytes for outcome in outcomes if isinstance(outcome, DatabaseSize) and outcome.database_name in own
    )


def server_collector(settings: Settings, database: Database) -> Collector:
    """A collector for the real servers with the settings of this installation."""
    deadlines = Deadlines(settings.connect_timeout_seconds, settings.statement_timeout_seconds, settings.instance_timeout_seconds)
    return Collector(
        database=database,
        fleet=ServerFleet(deadlines),
        secrets=SecretBox(settings),
        filters=read_filters(settings),
        timezone=database.timezone,
        grace=settings.grace,
        parallel=settings.parallel_instances,
        instance_seconds=settings.instance_timeout_seconds,
        max_gap_days=settings.max_gap_days,
        engines_with_history=engines_with_history(awr_licensed=settings.oracle_awr_licensed),
    )


def recompute_totals(database: Database, targets: Sequence[Instance], days: Sequence[date], session_id: UUID | None) -> None:
    """Recompute the instance totals of stored days from their database rows."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        capacity.write_totals(cursor, [target.instance_id for target in targets], min(days), max(days), session_id)


def as_whalefall_error(error: Exception) -> WhalefallError:
    """Turn an exception of one instance into the failure of that instance.

    Raises:
        StoreUnreachableError, SessionEndedError: they end the work on all instances.
    """
    if isinstance(error, (StoreUnreachableError, SessionEndedError)):
        raise error
    return error if isinstance(error, WhalefallError) else WhalefallError(f"unexpected {type(error).__name__}: {error}")
