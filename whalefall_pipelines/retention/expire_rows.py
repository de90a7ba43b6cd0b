"""Deletes expired rows outside the monthly tables: gaps, records, sessions, audited requests, tokens and Dagster events.
It also measures the disk usage of the whole installation.

Every batch is its own transaction, so the next run continues an interrupted one. `maintain_table_partitions.py` expires months.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta

from whalefall_pipelines.domain.months import Content, Place
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.retention.expired_rows import GROWTH_DAYS, WHY, ExpiredRows, Footprint, RowKind, RowRules
from whalefall_pipelines.retention.maintain_table_partitions import rules as month_rules
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.retention.store import expired_rows as retention
from whalefall_pipelines.runtime.open_store import open_dagster_database, open_store
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import read_catalogue

# A year of footprints, so that they can be compared with the same season.
FOOTPRINT_DAYS = 400


@dataclass(frozen=True, slots=True)
class Databases:
    """The databases whose rows expire: the store, and Dagster's database beside it."""

    store: Database
    dagster: Database


@contextmanager
def open_databases(settings: Settings) -> Generator[Databases]:
    """Both databases, ready to use.

    Raises:
        StoreUnreachableError: one of them does not answer.
        SchemaError: the store's schema does not match this program.
    """
    with open_store(settings) as store, open_dagster_database(settings, store) as dagster:
        yield Databases(store, dagster)


def plan_rows(databases: Databases, settings: Settings, today: date) -> tuple[ExpiredRows, ...]:
    """Count the rows that would be deleted on this day. Every kind is listed, even with no rows."""
    rules = _rules(databases.store, settings, today)
    return tuple(ExpiredRows(kind, rules.before(kind, today), _count(databases, kind, rules, today), WHY[kind]) for kind in RowKind)


def expire_rows(
    databases: Databases,
    settings: Settings,
    today: date,
    *,
    confirmed: Sequence[ExpiredRows] | None = None,
    on_batch: Callable[[RowKind, int], None] = lambda _kind, _rows: None,
) -> tuple[ExpiredRows, ...]:
    """Delete expired rows, and return their numbers. `confirmed` is the plan that the user saw.

    Raises:
        InputError: the rows to delete differ from the confirmed ones; nothing is deleted.
        StoreUnreachableError: a database is unavailable; rows that were already deleted stay deleted.
    """
    rules = _rules(databases.store, settings, today)
    if confirmed is not None and {expired.kind: expired.before for expired in confirmed} != {
        kind: rules.before(kind, today) for kind in RowKind
    }:
        raise InputError("The rows to delete changed after the plan was shown, so nothing was deleted. Run the command again.")
    done: list[ExpiredRows] = []
    for kind in RowKind:
        deleted = ExpiredRows(kind, rules.before(kind, today), 0, WHY[kind])
        for rows in _delete(databases, kind, rules, today):
            deleted = replace(deleted, rows=deleted.rows + rows)
            on_batch(kind, rows)
        done.append(deleted)
    return tuple(done)


def read_footprint(databases: Databases, today: date) -> Footprint:
    """The disk usage of the installation now, and up to 30 days ago."""
    earlier_on, earlier = retention.find_earlier_footprint(databases.store, today - timedelta(days=GROWTH_DAYS), today)
    return Footprint(retention.measure_footprint(databases.store, databases.dagster), earlier, earlier_on, today)


def record_footprint(databases: Databases, footprint: Footprint) -> None:
    """Store today's disk usage, so that the growth is known later."""
    keep_from = footprint.today - timedelta(days=FOOTPRINT_DAYS)
    retention.record_footprint(databases.store, footprint.today, footprint.sizes, keep_from=keep_from)


def _rules(store: Database, settings: Settings, today: date) -> RowRules:
    """The rules of this day. Gaps are kept from the oldest existing month of sizes on, because a held month still needs its gaps."""
    rules = month_rules(settings)
    present = [
        table_partition.month
        for table_partition in read_catalogue(store, rules.names(Content.AGGREGATED_DAYS))
        if table_partition.month and table_partition.place is not Place.STRAY
    ]
    kept = settings.of(RetentionSettings)
    return RowRules(
        min([rules.oldest_daily(today), *present]).first_day,
        kept.account_retention_days,
        kept.session_retention_days,
        kept.audit_retention_days,
        kept.event_retention_days,
    )


def _count(databases: Databases, kind: RowKind, rules: RowRules, today: date) -> int:
    before, store = rules.before(kind, today), databases.store
    counting: Mapping[RowKind, Callable[[], int]] = {
        RowKind.GAPS: lambda: retention.count_gaps(store, before),
        RowKind.ACCOUNTS: lambda: retention.count_ended(store, "accounts", before),
        RowKind.RECORDS: lambda: sum(retention.sessions_with_expired_records(store, before).values()),
        RowKind.SESSIONS: lambda: retention.count_sessions(store, before, rules.oldest_day),
        RowKind.REQUESTS: lambda: retention.count_ended(store, "requests", before),
        RowKind.TOKENS: lambda: retention.count_ended(store, "tokens", before),
        RowKind.EVENTS: lambda: retention.count_events(databases.dagster, before),
    }
    return counting[kind]()


def _delete(databases: Databases, kind: RowKind, rules: RowRules, today: date) -> Iterator[int]:
    before, store = rules.before(kind, today), databases.store
    deleting: Mapping[RowKind, Callable[[], Iterator[int]]] = {
        RowKind.GAPS: lambda: retention.delete_gaps(store, before),
        RowKind.ACCOUNTS: lambda: retention.delete_ended(store, "accounts", before),
        RowKind.RECORDS: lambda: retention.delete_records(store, before),
        RowKind.SESSIONS: lambda: retention.delete_sessions(store, before, rules.oldest_day),
        RowKind.REQUESTS: lambda: retention.delete_ended(store, "requests", before),
        RowKind.TOKENS: lambda: retention.delete_ended(store, "tokens", before),
        RowKind.EVENTS: lambda: retention.delete_events(databases.dagster, before),
    }
    return deleting[kind]()
