"""Collects one day: visits every instance once, in parallel, and a second time where the first failed at once.

What a visit writes is `write_visit.py`. Only today, or yesterday within the grace period, can be collected; days that are over
are `fill_gaps.py`.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from whalefall_pipelines.domain.capacity import Reason, measurable_day
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance, engines_with_history
from whalefall_pipelines.errors import SizesError, StoreUnreachableError, TargetError, WhalefallError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Fleet
from whalefall_pipelines.services.each_instance import each_instance
from whalefall_pipelines.services.read_filters import read_filters
from whalefall_pipelines.services.write_visit import InstanceOutcome, Listing, write_failure, write_visit
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import capacity, sessions
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.table_partitions import ensure_months

# A second try within the run, for failures that came at once; one that used up its deadline waits for a later run.
ATTEMPTS = 2
QUICK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Collector:
    """What collecting needs besides the instances: the store, the way to the servers, and the rules of this installation."""

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
    pause_seconds: float = 1.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def collect_day(self, targets: Sequence[Instance], day: date, session_id: UUID | None) -> Iterator[InstanceOutcome]:
        """Visit every instance once, and those that failed at once a second time after a pause; yield each as it ends.

        Raises:
            StoreError: the store failed, so that not even failures can be written down.
        """
        ensure_months(self.database, [day])
        again: list[Instance] = []
        for attempt in range(1, ATTEMPTS + 1):
            turn, again = (targets if attempt == 1 else again), []
            is_last = attempt == ATTEMPTS
            for instance, outcome in each_instance(
                turn,
                lambda instance, is_last=is_last: self.collect_instance(instance, day, session_id, is_last=is_last),
                parallel=self.parallel,
                interrupt=self.fleet.shut_all,
                take_up=lambda next_ones: self._take_up(next_ones, session_id),
            ):
                if isinstance(outcome, Exception):
                    yield write_failure(self.database, instance, day, session_id, _as_whalefall_error(outcome), seconds=0)
                elif outcome is None:
                    again.append(instance)
                else:
                    yield outcome
            if again:
                time.sleep(self.pause_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret

    def collect_instance(self, instance: Instance, day: date, session_id: UUID | None, *, is_last: bool = True) -> InstanceOutcome | None:
        """Visit one instance and write what came of it; None when it failed at once and deserves another try."""
        started = time.monotonic()
        try:
            listing = self.visit(instance, day)
        except TargetError as error:
            seconds = time.monotonic() - started
            if error.is_transient and seconds < QUICK_SECONDS and not is_last:
                return None
            return write_failure(self.database, instance, day, session_id, error, seconds=seconds)
        return write_visit(self.database, instance, day, session_id, listing, seconds=time.monotonic() - started)

    def _take_up(self, next_ones: Sequence[Instance], session_id: UUID | None) -> Sequence[Instance]:
        if session_id is None:
            return next_ones
        begun = sessions.start_records(self.database, session_id, [instance.instance_id for instance in next_ones])
        return [instance for instance in next_ones if instance.instance_id in begun]

    def visit(self, instance: Instance, day: date) -> Listing:
        """Ask one server for its databases and their sizes, and write nothing.

        Raises:
            TargetError: the server cannot be asked, or the day is over.
        """
        if measurable_day([day], self.clock(), self.timezone, self.grace) is None:
            raise SizesError(f"{day} was over before {instance.name!r} was reached.", reason=Reason.NOT_COLLECTED)
        login = self.secrets.reveal(instance.secret, instance.username, instance.name)
        with self.fleet.connect(instance, login) as probe:
            present = probe.list_databases()
            rule = self.filters[instance.engine]
            listed = tuple(name for name in present if not rule.hides(name))
            hidden = tuple(name for name in present if rule.hides(name))
            try:
                outcomes = tuple(probe.measure(listed)) if listed and not self.inventory_only else ()
            except ValueError as error:
                raise SizesError(f"{instance.name!r} gave a size that cannot be: {error}", reason=Reason.SERVER_ERROR) from error
            return Listing(probe.server_version, listed, hidden, outcomes, self.clock(), is_inventory_only=self.inventory_only)


def server_collector(settings: Settings, database: Database) -> Collector:
    """A collector of the real servers by the rules of this installation."""
    deadlines = Deadlines(settings.connect_timeout_seconds, settings.statement_timeout_seconds, settings.instance_timeout_seconds)
    return Collector(
        database=database,
        fleet=ServerFleet(deadlines),
        secrets=SecretBox(settings),
        filters=read_filters(settings),
        timezone=settings.timezone,
        grace=settings.grace,
        parallel=settings.parallel_instances,
        max_gap_days=settings.max_gap_days,
        engines_with_history=engines_with_history(awr_licensed=settings.oracle_awr_licensed),
    )


def recompute_totals(database: Database, targets: Sequence[Instance], days: Sequence[date], session_id: UUID) -> None:
    """Write the instance totals of stored days anew from their database rows."""
    with database.transaction() as cursor:
        capacity.write_totals(cursor, [target.instance_id for target in targets], min(days), max(days), session_id)


def _as_whalefall_error(error: Exception) -> WhalefallError:
    if isinstance(error, StoreUnreachableError):
        raise error
    return error if isinstance(error, WhalefallError) else WhalefallError(f"unexpected {type(error).__name__}: {error}")
