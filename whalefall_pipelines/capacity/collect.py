"""Collects one day: probes every instance in parallel, and retries those that failed quickly.

`take_snapshot.py` probes one server, `write_snapshot.py` writes the result. Only today, or yesterday within the grace period, can be
collected; `fill_gaps.py` handles past days.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.take_snapshot import Servers, take_snapshot
from whalefall_pipelines.capacity.write_snapshot import InstanceOutcome, write_failure, write_snapshot
from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.domain.days import measurable_day
from whalefall_pipelines.domain.instances import Engine, Instance, engines_with_history
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError, TargetError, WhalefallError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.each_instance import POLL_SECONDS, as_whalefall_error, each_instance
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
class RetryRule:
    """When a failed probe is retried within the same run. All attempts of an instance and their pauses share one deadline."""

    pause_seconds: float = 0.5
    deadline_seconds: float = 300

    def pause_after(self, attempt: int) -> float:
        """The pause after this attempt; the first one is attempt 1."""
        return self.pause_seconds * BACK_OFF ** (attempt - 1)

    def allows(self, error: TargetError, attempt: int, *, seconds: float, spent_seconds: float) -> bool:
        """Whether to retry an attempt that failed after `seconds`. Earlier attempts and pauses took `spent_seconds`."""
        is_worth_it = error.is_transient and error.reason not in NEEDS_A_PERSON
        has_time = spent_seconds + seconds + self.pause_after(attempt) < self.deadline_seconds
        return is_worth_it and seconds < QUICK_SECONDS and attempt < ATTEMPTS and has_time


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects instances. It holds the store, the servers, and the settings of this installation."""

    database: Database
    servers: Servers
    grace: timedelta
    parallel: int
    retry_rule: RetryRule = RetryRule()
    max_gap_days: int = 14
    engines_with_history: frozenset[Engine] = engines_with_history(awr_licensed=False)
    inventory_only: bool = False
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
        self.write(lambda: ensure_months(self.database, [day]))
        spent = dict.fromkeys(targets, 0.0)
        for attempt in range(1, ATTEMPTS + 1):
            failed: dict[Instance, float] = {}
            for instance, outcome in each_instance(
                list(spent),
                lambda instance, attempt=attempt, spent=spent: self.collect_instance(
                    instance, day, session_id, attempt=attempt, spent_seconds=spent[instance]
                ),
                parallel=self.parallel,
                interrupt=self.stop,
                check=self.check,
                claim=lambda instances: self._claim(instances, session_id),
            ):
                match outcome:
                    case InstanceOutcome():
                        yield outcome
                    case RetryLater(seconds):
                        failed[instance] = spent[instance] + seconds
                    case Exception() as error:
                        yield self._write_failure(instance, day, session_id, as_whalefall_error(error), seconds=0)
            if not failed:
                return
            paused = self._wait(self.retry_rule.pause_after(attempt))
            spent = {instance: seconds + paused for instance, seconds in failed.items()}

    def collect_instance(
        self, instance: Instance, day: date, session_id: UUID | None, *, attempt: int = 1, spent_seconds: float = 0
    ) -> InstanceOutcome | RetryLater:
        """Probe one instance and write the outcome, unless the probe failed quickly and should be retried.

        `spent_seconds` is the time of earlier attempts and pauses, without waiting for other instances.
        """
        started = time.monotonic()
        try:
            if measurable_day([day], self.clock(), self.database.timezone, self.grace) is None:
                raise SizesError(f"{day} was over before {instance.name!r} was reached.", reason=Reason.NOT_COLLECTED)
            snapshot = take_snapshot(self.servers, instance, self.clock, inventory_only=self.inventory_only, spent_seconds=spent_seconds)
        except TargetError as error:
            seconds = time.monotonic() - started
            if self.retry_rule.allows(error, attempt, seconds=seconds, spent_seconds=spent_seconds):
                return RetryLater(seconds)
            return self._write_failure(instance, day, session_id, error, seconds=seconds)
        seconds = time.monotonic() - started
        return self.write(lambda: write_snapshot(self.database, instance, day, session_id, snapshot, seconds=seconds))

    def write(self, work: Callable[[], Result]) -> Result:
        """Do work that is one transaction of the store, and retry it while the store is unavailable."""
        return retry_while_unavailable(work, seconds=self.outage_seconds, stopped=self.stopped)

    def stop(self) -> None:
        """Interrupt everything that waits for a server or for the store."""
        self.stopped.set()
        self.servers.fleet.shut_all()

    def _write_failure(
        self, instance: Instance, day: date, session_id: UUID | None, error: WhalefallError, *, seconds: float
    ) -> InstanceOutcome:
        return self.write(lambda: write_failure(self.database, instance, day, session_id, error, seconds=seconds))

    def _claim(self, instances: Sequence[Instance], session_id: UUID | None) -> Sequence[Instance]:
        if session_id is None:
            return instances
        ids = [instance.instance_id for instance in instances]
        claimed = self.write(lambda: sessions.start_records(self.database, session_id, ids))
        return [instance for instance in instances if instance.instance_id in claimed]

    def _wait(self, seconds: float) -> float:
        """Wait for about this long, and return the time that was waited."""
        jittered = seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
        until = time.monotonic() + jittered
        while time.monotonic() < until:
            self.check()
            time.sleep(min(POLL_SECONDS, max(0, until - time.monotonic())))
        return jittered


def server_collector(settings: Settings, database: Database) -> Collector:
    """A collector for the real servers with the settings of this installation."""
    deadlines = Deadlines(settings.connect_timeout_seconds, settings.statement_timeout_seconds, settings.instance_timeout_seconds)
    return Collector(
        database=database,
        servers=Servers(ServerFleet(deadlines), SecretBox(settings), read_filters(settings)),
        grace=settings.grace,
        parallel=settings.parallel_instances,
        retry_rule=RetryRule(deadline_seconds=settings.instance_timeout_seconds),
        max_gap_days=settings.max_gap_days,
        engines_with_history=engines_with_history(awr_licensed=settings.oracle_awr_licensed),
    )


def recompute_totals(database: Database, targets: Sequence[Instance], days: Sequence[date], session_id: UUID | None) -> None:
    """Recompute the instance totals of stored days from their database rows."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        capacity.write_totals(cursor, [target.instance_id for target in targets], min(days), max(days), session_id)
