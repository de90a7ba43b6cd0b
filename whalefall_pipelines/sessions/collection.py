"""Collects from many servers: claims each in the session, probes it, retries what failed quickly, and writes each outcome once.

Every area that reads monitored servers uses it, and only says how it probes a server and how it writes what came of that.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Generic, Protocol, Self, TypeVar
from uuid import UUID

from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.domain.days import measurable_day
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.zones import ONLY_CENTRE, ZONE_TAG, Zones, refuse_other_zones, zones_of_run
from whalefall_pipelines.errors import SizesError, TargetError, WhalefallError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Fleet, P_co, Question
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.each_instance import POLL_SECONDS, as_whalefall_error, each_instance
from whalefall_pipelines.sessions.retries import ATTEMPTS, RetryRule
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import OUTAGE_SECONDS, retry_while_unavailable

Result = TypeVar("Result")
Snapshot = TypeVar("Snapshot")
Outcome = TypeVar("Outcome")
Outcome_co = TypeVar("Outcome_co", covariant=True)


class Work(Protocol[Snapshot, Outcome_co]):
    """What an area does with one instance. The functions are called in threads, for several instances at a time."""

    def probe(self, instance: Instance, spent_seconds: float, /) -> Snapshot:
        """Read the server. Earlier attempts and the pauses after them took `spent_seconds`, which count against its deadline.

        Raises:
            TargetError: the server cannot be read.
        """
        ...

    def write(self, instance: Instance, snapshot: Snapshot, seconds: float, /) -> Outcome_co:
        """Write what was read, and close the record of the instance, in one transaction. The probe took `seconds`."""
        ...

    def write_failure(self, instance: Instance, error: WhalefallError, seconds: float, /) -> Outcome_co:
        """Write why nothing was read, and close the record of the instance, in one transaction."""
        ...


@dataclass(frozen=True, slots=True)
class _RetryLater:
    """An attempt that failed after this many seconds, and is followed by another one."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Collection:
    """The store, the monitored servers with their logins, the zones that are reached, and the rules for collecting from them.

    `check` is called several times a second and raises to end the work; it comes from the session.
    """

    database: Database
    fleet: Fleet
    secrets: SecretBox
    parallel: int | None
    grace: timedelta
    retry_rule: RetryRule = field(default_factory=RetryRule)
    outage_seconds: float = OUTAGE_SECONDS
    clock: Clock = system_clock
    check: Callable[[], None] = lambda: None
    stopped: threading.Event = field(default_factory=threading.Event)
    reached: Zones = ONLY_CENTRE

    def collect(self, instances: Sequence[Instance], session_id: UUID | None, work: Work[Snapshot, Outcome]) -> Iterator[Outcome]:
        """Do the work for every instance, retry what failed quickly after growing pauses, and yield each outcome as it ends.

        Without a session, nothing is claimed. Instances whose records are closed already are skipped and yield nothing.

        Raises:
            OtherZoneError: an instance is in a zone that is not reached; nothing was connected to.
            StoreError: the store failed, or was unavailable for too long, so that not even failures can be stored.
            SessionEndedError: the session was ended elsewhere; no further instance is started.
        """
        refuse_other_zones({instance.zone for instance in instances}, self.reached)
        spent = dict.fromkeys(instances, 0.0)
        for number in range(1, ATTEMPTS + 1):
            attempt = _Attempt(self, work, number, spent)
            failed: dict[Instance, float] = {}
            for instance, outcome in each_instance(
                list(spent),
                attempt.run,
                parallel=self.parallel,
                interrupt=self.stop,
                check=self.check,
                claim=lambda next_ones: self._claim(next_ones, session_id),
            ):
                match outcome:
                    case _RetryLater(seconds):
                        failed[instance] = spent[instance] + seconds
                    case Exception() as error:
                        yield attempt.fail(instance, as_whalefall_error(error), 0)
                    case _:
                        yield outcome
            if not failed:
                return
            paused = self._pause(self.retry_rule.pause_after(number))
            spent = {instance: seconds + paused for instance, seconds in failed.items()}

    def of_run(self, tags: Mapping[str, str]) -> Self:
        """The same, within the zone for which a run with these tags was launched.

        Raises:
            OtherZoneError: this process does not reach that zone; nothing was connected to.
        """
        return replace(self, reached=zones_of_run(tags.get(ZONE_TAG), self.reached))

    def connect(self, question: Question[P_co], instance: Instance, *, spent_seconds: float = 0) -> AbstractContextManager[P_co]:
        """Open one connection with the login of the instance. `spent_seconds` count against its deadline."""
        login = self.secrets.reveal(instance.secret, instance.username, instance.name)
        return self.fleet.connect(question, instance, login, spent_seconds=spent_seconds)

    def measurable_day(self, days: Iterable[date]) -> date | None:
        """The one of these days that can be measured now, if any."""
        return measurable_day(days, self.clock(), self.database.timezone, self.grace)

    def refuse_past_day(self, instance: Instance, day: date) -> None:
        """Refuse to read a server for a day that is over.

        Raises:
            SizesError: the day ended while the instance waited for its turn.
        """
        if self.measurable_day([day]) is None:
            raise SizesError(f"{day} was over before {instance.name!r} was reached.", reason=Reason.NOT_COLLECTED)

    def write(self, work: Callable[[], Result]) -> Result:
        """Do work that is one transaction of the store, and retry it while the store is unavailable."""
        return retry_while_unavailable(work, seconds=self.outage_seconds, stopped=self.stopped)

    def stop(self) -> None:
        """Interrupt everything that waits for a server or for the store."""
        self.stopped.set()
        self.fleet.shut_all()

    def _claim(self, instances: Sequence[Instance], session_id: UUID | None) -> Sequence[Instance]:
        if session_id is None:
            return instances
        ids = [instance.instance_id for instance in instances]
        claimed = self.write(lambda: sessions.start_records(self.database, session_id, ids))
        return [instance for instance in instances if instance.instance_id in claimed]

    def _pause(self, seconds: float) -> float:
        """Wait for about this long, and return the time that was waited."""
        jittered = seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
        until = time.monotonic() + jittered
        while time.monotonic() < until:
            self.check()
            time.sleep(min(POLL_SECONDS, max(0, until - time.monotonic())))
        return jittered


@dataclass(frozen=True, slots=True)
class _Attempt(Generic[Snapshot, Outcome]):
    """One pass over instances. `spent` has the seconds that their earlier attempts and pauses took, without waiting for others."""

    collection: Collection
    work: Work[Snapshot, Outcome]
    number: int
    spent: dict[Instance, float]

    def run(self, instance: Instance) -> Outcome | _RetryLater:
        started = time.monotonic()
        try:
            snapshot = self.work.probe(instance, self.spent[instance])
        except TargetError as error:
            seconds = time.monotonic() - started
            if self.collection.retry_rule.allows(error, self.number, seconds=seconds, spent_seconds=self.spent[instance]):
                return _RetryLater(seconds)
            return self.fail(instance, error, seconds)
        seconds = time.monotonic() - started
        return self.collection.write(lambda: self.work.write(instance, snapshot, seconds))

    def fail(self, instance: Instance, error: WhalefallError, seconds: float) -> Outcome:
        return self.collection.write(lambda: self.work.write_failure(instance, error, seconds))


def server_collection(settings: Settings, database: Database, fleet: Fleet | None = None) -> Collection:
    """Collect from the real servers, or those of a `fleet`, with the settings of this installation."""
    collecting = settings.of(CollectingSettings)
    return Collection(
        database=database,
        fleet=fleet or ServerFleet(collecting.deadlines, collecting.reached),
        secrets=SecretBox(settings),
        parallel=collecting.parallel_instances,
        grace=collecting.grace,
        reached=collecting.reached,
        retry_rule=RetryRule(deadline_seconds=collecting.instance_timeout_seconds),
    )
