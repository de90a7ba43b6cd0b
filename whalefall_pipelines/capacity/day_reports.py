"""Reports on days: figures, rankings and gaps of the whole fleet, and the coverage of each instance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from whalefall_pipelines.capacity.coverage import Coverage, CoveredDay
from whalefall_pipelines.capacity.figures import DaySummary, Gap, InventorySummary, RankedDatabase, RankedInstance
from whalefall_pipelines.capacity.store import reports
from whalefall_pipelines.capacity.store.gaps import list_coverage, list_covered_days
from whalefall_pipelines.domain.zones import Zones
from whalefall_pipelines.inventory.fleet import active_zones
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable


@dataclass(frozen=True, slots=True)
class DayReport:
    """Everything that the assets of one day show in the UI."""

    day: date
    inventory: InventorySummary
    summary: DaySummary
    databases: tuple[RankedDatabase, ...]
    instances: tuple[RankedInstance, ...]
    gaps: tuple[Gap, ...]


def report_days(database: Database, days: Sequence[date]) -> list[DayReport]:
    """Read the reports of these days, with one statement per kind of figure regardless of the number of days."""
    inventory = reports.summarize_inventory(database, days)
    summaries = reports.summarize_days(database, days)
    databases = reports.rank_databases(database, days)
    instances = reports.rank_instances(database, days)
    gaps = reports.list_gaps(database, days)
    return [
        DayReport(
            day=day,
            inventory=inventory[day],
            summary=summaries[day],
            databases=tuple(row for row in databases if row.stat_date == day),
            instances=tuple(row for row in instances if row.stat_date == day),
            gaps=tuple(row for row in gaps if row.stat_date == day),
        )
        for day in days
    ]


def within_zones(database: Database, summary: DaySummary, zones: Zones) -> DaySummary:
    """The figures of a day with what was obtained in these zones only, so that a zone does not fail for the servers of another."""
    if zones.issuperset(active_zones(database)):
        return summary
    return replace(summary, **reports.measure_zones(database, summary.stat_date, zones))


def summarize_day(database: Database, day: date) -> tuple[DaySummary, tuple[Gap, ...]]:
    """The figures of one day, and its gaps with their reasons."""
    summary = retry_while_unavailable(lambda: reports.summarize_days(database, [day]))[day]
    return summary, retry_while_unavailable(lambda: reports.list_gaps(database, [day]))


def read_coverage(database: Database, days: Sequence[date], instance_id: int | None = None) -> Sequence[Coverage]:
    """The coverage of each instance, or of one, on each of these consecutive days."""
    return list_coverage(database, days[0], days[-1], instance_id)


def read_covered_days(
    database: Database, days: Sequence[date], *, most_rows: int, instance_id: int | None = None
) -> tuple[CoveredDay, ...]:
    """The state of each instance on each of these consecutive days, or of each group of instances if there are more than `most_rows`."""
    return list_covered_days(database, days, instance_id, most_rows=most_rows)
