"""What Prometheus is told of sizes, on the newest day that has any."""

from collections.abc import Sequence
from datetime import date, timedelta

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.ask import largest_databases
from whalefall_pipelines.capacity.figures import InstanceMetrics
from whalefall_pipelines.capacity.listing import SizeFilter, list_latest_sizes
from whalefall_pipelines.capacity.store.answers import find_newest_day
from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.domain.metrics import Metric, gauge
from whalefall_pipelines.domain.sizes import Provenance
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as

_STATES = (*map(str, Provenance), "missing")
# A series for each database of a large fleet would burden every Prometheus, for a number that changes once a day.
MOST_TOP, MOST_TAGGED = 1000, 10_000
# As long as `whalefall top` and the console hold a size.
_DAYS_HELD = 14


def read_metrics(database: Database, today: date) -> tuple[Metric, ...]:
    """The servers and the fleet; nothing while nothing was measured."""
    day = find_newest_day(database, today)
    if day is None:
        return ()
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_instance_metrics"), {"day": day, "days_held": _DAYS_HELD})
        instances = fetch_as(cursor, InstanceMetrics)
        cursor.execute(queries.load("capacity/count_gaps_by_reason"), {"day": day})
        gaps = cursor.fetchall()
    return (
        *_of_instances(instances),
        *_of_fleet(instances),
        gauge(
            "whalefall_missing_databases",
            "Missing databases of the newest day, by reason.",
            [(missing, {"reason": reason}) for reason, missing in gaps],
        ),
    )


def _of_instances(instances: Sequence[InstanceMetrics]) -> tuple[Metric, ...]:
    states = [(getattr(row, state), {**row.labels, "state": state}) for row in instances for state in _STATES]
    return (
        gauge("whalefall_instance_size_bytes", "Newest complete total of a server.", [(row.total_bytes, row.labels) for row in instances]),
        gauge(
            "whalefall_instance_capacity_limit_bytes",
            "Size at which a server is full.",
            [(row.capacity_limit_bytes, row.labels) for row in instances],
        ),
        gauge(
            "whalefall_instance_last_measured_timestamp_seconds",
            "When the newest complete total of a server was measured.",
            [(row.collected_at and row.collected_at.timestamp(), row.labels) for row in instances],
        ),
        gauge("whalefall_instance_databases", "Databases of a server on the newest day, by state.", states),
    )


def _of_fleet(instances: Sequence[InstanceMetrics]) -> tuple[Metric, ...]:
    totals = [row.total_bytes for row in instances if row.total_bytes is not None]
    states = [(sum(getattr(row, state) or 0 for row in instances), {"state": state}) for state in _STATES]
    return (
        gauge("whalefall_fleet_size_bytes", "Sum of the newest complete totals.", [(sum(totals) if totals else None, {})]),
        gauge("whalefall_fleet_databases", "Databases of the fleet on the newest day, by state.", states),
    )


def read_database_metrics(database: Database, today: date, tag: tuple[str, str | None] | None) -> tuple[Metric, ...]:
    """The newest sizes of the largest databases, or of the databases on servers with a tag, and whether some were left out."""
    if tag is None:
        try:
            rows = largest_databases(database, today, most=MOST_TOP + 1).rows
        except NotFoundError:
            rows = ()
        sizes = [(row.known_bytes, {"instance": row.instance_name, "database": row.database_name or ""}) for row in rows]
    else:
        wanted = SizeFilter(Days(today - timedelta(days=_DAYS_HELD), today), FleetFilter(tag=tag))
        start = {"after_id": None, "after_name": None}
        latest = list_latest_sizes(database, wanted, start, {"skipped": 0, "most": MOST_TAGGED + 1})
        sizes = [(row.total_bytes, {"instance": row.instance_name, "database": row.database_name}) for row in latest]
    most = MOST_TOP if tag is None else MOST_TAGGED
    return (
        gauge("whalefall_database_size_bytes", "Newest size of a database.", sizes[:most]),
        gauge("whalefall_metrics_truncated", "1 if databases were left out.", [(int(len(sizes) > most), {})]),
    )
