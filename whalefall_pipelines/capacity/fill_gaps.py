"""Fills the gaps of past days: missing sizes are recovered from the server's own history, or else interpolated between known days.

A measured size is never changed. `collect.py` handles days that can still be measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from whalefall_pipelines.capacity.collect import Collector
from whalefall_pipelines.capacity.store import gaps, retries
from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sizes import Provenance
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.inventory.take_inventory import lock_inventory
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.each_instance import as_whalefall_error, each_instance
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
    was rejected today is not contacted.
    """
    database = collector.database
    interpolation = gaps.Interpolation(min(days), max(days), collector.max_gap_days, [instance.instance_id for instance in instances])
    collector.write(lambda: _record(database, interpolation.first_day, interpolation.last_day, session_id))
    with_history = [instance for instance in instances if instance.engine in collector.engines_with_history]
    recovered = _recover(collector, with_history, interpolation, session_id, say)
    collector.check()

    def estimate() -> int:
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            estimated = sum(gaps.estimate_gaps(cursor, interpolation, session_id).values())
            capacity.write_totals(cursor, interpolation.instance_ids, interpolation.first_day, interpolation.last_day, session_id)
        return estimated

    def interpolate_gaps() -> int:
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            interpolable = gaps.list_interpolable_days(cursor, interpolation)
        return writing_months(database, interpolable, STATS_TABLES, estimate)

    return Filled(recovered, collector.write(interpolate_gaps))


def find_interpolable_days(database: Database, today: date, max_gap_days: int) -> list[date]:
    """The days before today on which a gap of an active instance can now be interpolated.

    Only gaps that end at a size measured today are considered; older gaps are interpolated by a backfill that a user launches.
    """
    instance_ids = [instance.instance_id for instance in active_instances(database)]
    interpolation = gaps.Interpolation(today - timedelta(days=max_gap_days), today - timedelta(days=1), max_gap_days, instance_ids)
    with database.transaction() as cursor:
        return gaps.list_interpolable_days(cursor, interpolation)


def record_uncollected_days(collector: Collector, day: date, session_id: UUID) -> None:
    """Record the gaps of earlier days on which nothing ran, so that they are interpolated once this day is measured."""
    first_day, last_day = day - timedelta(days=2 * collector.max_gap_days + 1), day - timedelta(days=1)
    collector.write(lambda: _record(collector.database, first_day, last_day, session_id))


def _record(database: Database, first_day: date, last_day: date, session_id: UUID) -> None:
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        gaps.record_uncollected_days(cursor, first_day, last_day, session_id)


def _recover(
    collector: Collector, instances: Sequence[Instance], interpolation: gaps.Interpolation, session_id: UUID, say: Callable[[str], None]
) -> int:
    if not instances:
        return 0
    wanted = {
        instance: gaps.list_recoverable_sizes(collector.database, instance.instance_id, interpolation.first_day, interpolation.last_day)
        for instance in instances
    }
    rejected = retries.list_rejected_logins(collector.database, today(collector.clock(), collector.database.timezone))
    asked = [instance for instance, missing in wanted.items() if missing and instance.instance_id not in rejected]
    if not asked:
        return 0
    begun = sessions.start_records(collector.database, session_id, [instance.instance_id for instance in asked])
    recovered = 0
    for instance, outcome in each_instance(
        [instance for instance in asked if instance.instance_id in begun],
        lambda instance: collector.write(lambda: _recover_instance(collector, instance, wanted[instance], session_id)),
        parallel=collector.parallel,
        interrupt=collector.stop,
        check=collector.check,
    ):
        if isinstance(outcome, Exception):
            error = as_whalefall_error(outcome)
            say(f"{instance.name}: its own history could not be read: {error}")
            collector.write(lambda instance=instance, error=error: _fail_record(collector.database, instance, session_id, error))
        else:
            recovered += outcome
    return recovered


def _recover_instance(collector: Collector, instance: Instance, missing: frozenset[tuple[str, date]], session_id: UUID) -> int:
    names = sorted({name for name, _ in missing})
    days = [day for _, day in missing]
    with collector.servers.connect(instance) as probe:
        refuse_another_server(instance, probe.identity(), probe.server_version)
        recovered = probe.recover_sizes(names, min(days), max(days), collector.database.timezone)
    rows = [
        capacity.SizeRow(
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
        for size in recovered
        if (size.database_name, size.stat_date) in missing
    ]
    if rows:
        ensure_months(collector.database, [row.stat_date for row in rows], STATS_TABLES)
        with collector.database.transaction() as cursor:
            lock_inventory(cursor, instance)
            capacity.write_sizes(cursor, rows, session_id)
            days = [row.stat_date for row in rows]
            capacity.write_totals(cursor, [instance.instance_id], min(days), max(days), session_id)
    return len(rows)


def _fail_record(database: Database, instance: Instance, session_id: UUID, error: WhalefallError) -> None:
    with database.transaction() as cursor:
        sessions.fail_record(
            cursor, session_id, instance.instance_id, error_code=error.code, error_message=str(error), details={"probed": True}
        )
