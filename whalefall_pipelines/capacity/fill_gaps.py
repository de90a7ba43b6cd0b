"""Fills the gaps of past days: missing sizes are recovered from the server's own history, or else interpolated between known days.

A measured size is never changed. `collect.py` handles days that can still be measured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from whalefall_pipelines.capacity.collect import Collector
from whalefall_pipelines.capacity.store import gaps, retries
from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Instance, engines_with_history
from whalefall_pipelines.domain.sizes import Provenance, RecoveredSize
from whalefall_pipelines.domain.zones import Zones
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.inventory.take_inventory import lock_inventories
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months, writing_months


@dataclass(frozen=True, slots=True)
class Filled:
    """What a backfill wrote, in database-days."""

    recovered: int
    estimated: int


def fill_gaps(
    collector: Collector,
    instances: Sequence[Instance],
    days: Sequence[date],
    session_id: UUID,
    say: Callable[[str], None] = lambda _: None,
) -> Filled:
    """Fill the missing sizes of these instances on these past days, and recompute their totals.

    If the history of an instance cannot be read, its record fails, but its gaps are interpolated all the same. An instance whose login
    was rejected today is not contacted, nor is one in a zone that is not reached.
    """
    collection, database = collector.collection, collector.collection.database
    interpolation = gaps.Interpolation(min(days), max(days), collector.max_gap_days, [instance.instance_id for instance in instances])
    zones = collection.reached.union(instance.zone for instance in instances)
    collection.write(lambda: _record(database, interpolation.first_day, interpolation.last_day, zones, session_id))
    reached = [instance for instance in instances if instance.zone in collection.reached]
    with_history = [instance for instance in reached if instance.engine in collector.engines_with_history]
    recovered = _recover(collector, with_history, interpolation, session_id, say)
    collection.check()

    def estimate() -> int:
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            estimated = sum(gaps.estimate_gaps(cursor, interpolation, session_id).values())
            capacity.write_totals(cursor, interpolation.instance_ids, interpolation.first_day, interpolation.last_day, session_id)
        return estimated

    def interpolate_gaps() -> int:
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            interpolable = gaps.list_interpolable_days(cursor, interpolation)
        return writing_months(database, interpolable, STATS_TABLES, estimate)

    return Filled(recovered, collection.write(interpolate_gaps))


def find_interpolable_days(database: Database, today: date, max_gap_days: int) -> list[date]:
    """The days before today on which a gap of an active instance can now be interpolated.

    Only gaps that end at a size measured today are considered; older gaps are interpolated by a backfill that a user launches.
    """
    instance_ids = [instance.instance_id for instance in active_instances(database)]
    interpolation = gaps.Interpolation(today - timedelta(days=max_gap_days), today - timedelta(days=1), max_gap_days, instance_ids)
    with database.transaction() as cursor:
        return gaps.list_interpolable_days(cursor, interpolation)


def find_unread_histories(database: Database, *, awr_licensed: bool) -> tuple[gaps.UnreadHistories, ...]:
    """The zones that backfills of the last day did not reach, with servers that keep a history and sizes that may be recovered from it."""
    return gaps.list_unread_histories(database, engines_with_history(awr_licensed=awr_licensed))


def record_uncollected_days(collector: Collector, day: date, session_id: UUID) -> None:
    """Record the gaps of earlier days on which nothing ran in these zones, so that they are interpolated once this day is measured."""
    collection = collector.collection
    first_day, last_day = day - timedelta(days=2 * collector.max_gap_days + 1), day - timedelta(days=1)
    collection.write(lambda: _record(collection.database, first_day, last_day, collection.reached, session_id))


def _record(database: Database, first_day: date, last_day: date, zones: Zones, session_id: UUID) -> None:
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        gaps.record_uncollected_days(cursor, first_day, last_day, zones, session_id)


def _recover(
    collector: Collector, instances: Sequence[Instance], interpolation: gaps.Interpolation, session_id: UUID, say: Callable[[str], None]
) -> int:
    if not instances:
        return 0
    collection, database = collector.collection, collector.collection.database
    wanted = {
        instance: gaps.list_recoverable_sizes(database, instance.instance_id, interpolation.first_day, interpolation.last_day)
        for instance in instances
    }
    rejected = retries.list_rejected_logins(database, today(collection.clock(), database.timezone))
    asked = {instance: missing for instance, missing in wanted.items() if missing and instance.instance_id not in rejected}
    recovered = 0
    for outcome in collection.collect(list(asked), session_id, _History(collection, asked, session_id)):
        if isinstance(outcome, str):
            say(outcome)
        else:
            recovered += outcome
    return recovered


@dataclass(frozen=True, slots=True)
class _History:
    """Reads the history that a server keeps of itself. The outcome is the number of recovered sizes, or the sentence why there are none."""

    collection: Collection
    missing: Mapping[Instance, frozenset[tuple[str, date]]]
    session_id: UUID

    def probe(self, instance: Instance, spent_seconds: float) -> Sequence[RecoveredSize]:
        missing = self.missing[instance]
        names = sorted({name for name, _ in missing})
        days = [day for _, day in missing]
        with self.collection.connect(SIZES, instance, spent_seconds=spent_seconds) as probe:
            refuse_another_server(instance, probe.identity(), probe.server_version)
            recovered = probe.recover_sizes(names, min(days), max(days), self.collection.database.timezone)
        return [size for size in recovered if (size.database_name, size.stat_date) in missing]

    def write(self, instance: Instance, snapshot: Sequence[RecoveredSize], _seconds: float) -> int | str:
        if snapshot:
            days = [size.stat_date for size in snapshot]
            ensure_months(self.collection.database, days, STATS_TABLES)
            with self.collection.database.transaction() as cursor:
                lock_inventories(cursor, [instance])
                capacity.write_sizes(cursor, [_row(instance, size) for size in snapshot], self.session_id)
                capacity.write_totals(cursor, [instance.instance_id], min(days), max(days), self.session_id)
        return len(snapshot)

    def write_failure(self, instance: Instance, error: WhalefallError, _seconds: float) -> int | str:
        with self.collection.database.transaction() as cursor:
            sessions.fail_record(
                cursor, self.session_id, instance.instance_id, error_code=error.code, error_message=str(error), details={"probed": True}
            )
        return f"{instance.name}: its own history could not be read: {error}"


def _row(instance: Instance, size: RecoveredSize) -> capacity.SizeRow:
    return capacity.SizeRow(
        instance_id=instance.instance_id,
        database_name=size.database_name,
        stat_date=size.stat_date,
        total_bytes=size.total_bytes,
        data_bytes=size.data_bytes,
        log_bytes=size.log_bytes,
        collected_at=size.recorded_at,
        provenance=Provenance.RECOVERED,
        method=size.method,
        growth_limit_bytes=size.growth_limit_bytes,
        used_bytes=size.used_bytes,
    )
