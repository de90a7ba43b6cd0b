"""Collects the sizes of one day. `sessions/collection.py` has the rounds over the fleet, the retries and the claims.

`take_snapshot.py` probes one server, `write_snapshot.py` writes the result. Only today, or yesterday within the grace period, can be
collected; `fill_gaps.py` handles past days.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from whalefall_pipelines.capacity.settings import CapacitySettings
from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.take_snapshot import take_snapshot
from whalefall_pipelines.capacity.write_failures import Failed, write_failures
from whalefall_pipelines.capacity.write_snapshot import InstanceOutcome, Probed, Snapshot, write_snapshots
from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, DatabaseFilter, Engine, Instance, engines_with_history
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.store.write_together import WriteTogether


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects sizes. `filters` has the databases that each engine hides; `inventory_only` lists databases and measures nothing."""

    collection: Collection
    filters: Mapping[Engine, DatabaseFilter] = field(default_factory=lambda: SYSTEM_DATABASES)
    max_gap_days: int = 14
    engines_with_history: frozenset[Engine] = engines_with_history(awr_licensed=False)
    inventory_only: bool = False

    def collect_day(self, targets: Sequence[Instance], day: date, session_id: UUID | None) -> Iterator[InstanceOutcome]:
        """Measure every instance, and yield each outcome as it ends.

        Raises:
            StoreError: the store failed, or was unavailable for too long, so that not even failures can be stored.
            SessionEndedError: the session was ended elsewhere; no further instance is started.
        """
        database = self.collection.database
        self.collection.write(lambda: ensure_months(database, [day]))

        def write(probed: Sequence[Probed], *, is_alone: bool) -> Sequence[InstanceOutcome]:
            return write_snapshots(database, probed, day, session_id, is_patient=is_alone)

        def write_failed(failed: Sequence[Failed], *, is_alone: bool) -> Sequence[InstanceOutcome]:
            return write_failures(database, failed, day, session_id, is_patient=is_alone)

        work = SizesOfDay(self, day, WriteTogether(write), WriteTogether(write_failed))
        yield from self.collection.collect(targets, session_id, work)


@dataclass(frozen=True, slots=True)
class SizesOfDay:
    """Probes one instance for a day, and writes its sizes, or why there are none, together with those of others that end meanwhile."""

    collector: Collector
    day: date
    write_together: Callable[[Probed], InstanceOutcome]
    write_failed_together: Callable[[Failed], InstanceOutcome]

    def probe(self, instance: Instance, spent_seconds: float = 0) -> Snapshot:
        """Read the databases and sizes of one server, and write nothing.

        Raises:
            TargetError: the server cannot be probed, it is a different server than before, or the day is over.
        """
        collector = self.collector
        collector.collection.refuse_past_day(instance, self.day)
        return take_snapshot(
            collector.collection, instance, collector.filters, inventory_only=collector.inventory_only, spent_seconds=spent_seconds
        )

    def write(self, instance: Instance, snapshot: Snapshot, seconds: float) -> InstanceOutcome:
        """Write the sizes, the inventory and the total, and complete the record."""
        return self.write_together(Probed(instance, snapshot, seconds))

    def write_failure(self, instance: Instance, error: WhalefallError, seconds: float) -> InstanceOutcome:
        """Write the gaps of the instance and their reason, and fail the record."""
        return self.write_failed_together(Failed(instance, error, seconds))


def capacity_collector(settings: Settings, collection: Collection, *, inventory_only: bool = False) -> Collector:
    """A collector with the settings of this installation."""
    days = settings.of(CapacitySettings)
    return Collector(
        collection,
        filters=read_filters(settings),
        max_gap_days=days.max_gap_days,
        engines_with_history=engines_with_history(awr_licensed=days.oracle_awr_licensed),
        inventory_only=inventory_only,
    )


def recompute_totals(database: Database, targets: Sequence[Instance], days: Sequence[date], session_id: UUID | None) -> None:
    """Recompute the instance totals of stored days from their database rows."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        capacity.write_totals(cursor, [target.instance_id for target in targets], min(days), max(days), session_id)
