"""Metadata of a day in the Dagster UI: numbers that are plotted over time, and tables. All of it is read from the store."""

from collections.abc import Iterable
from datetime import date

import dagster as dg

from whalefall_pipelines.capacity.coverage import LEGEND, CoverageState, coverage_calendar, days_until
from whalefall_pipelines.capacity.day_reports import DayReport, read_coverage
from whalefall_pipelines.capacity.figures import DaySummary, Gap, RankedDatabase
from whalefall_pipelines.dagster_base.metadata import Metadata, markdown_table, printable
from whalefall_pipelines.domain.sessions import Notice
from whalefall_pipelines.store.database import Database

CALENDAR_DAYS = 30
CALENDAR_ROWS = 50
MISSING = ("instance", "database", "reason", "what to do")


def inventory_metadata(report: DayReport) -> Metadata:
    """The metadata of `instance_databases` for a day."""
    figures = report.inventory
    return {
        "instances": figures.instances,
        "databases": figures.databases,
        "created": figures.created,
        "deactivated": figures.deactivated,
        "dagster/partition_row_count": figures.databases,
    }


def database_metadata(report: DayReport) -> Metadata:
    """The metadata of `database_size_stats` for a day."""
    figures = report.summary
    growing = sorted((database for database in report.databases if database.growth_rank), key=lambda database: database.growth_rank or 0)
    largest = sorted(report.databases, key=lambda database: database.size_rank)
    columns = ("instance", "database", "bytes", "change in bytes to the day before")
    return {
        **_coverage(figures),
        "instances": figures.instances,
        "databases": figures.databases,
        "dagster/partition_row_count": figures.databases,
        "largest": markdown_table(columns, [_database_row(database) for database in largest if database.size_rank <= 10]),
        "fastest growing": markdown_table(columns, [_database_row(database) for database in growing[:10]]),
        "missing, with reasons": markdown_table(MISSING, [gap_row(gap) for gap in report.gaps]),
    }


def instance_metadata(report: DayReport) -> Metadata:
    """The metadata of `instance_size_stats` for a day."""
    columns = ("instance", "engine", "bytes", "bytes of no database", "change in bytes to the day before", "databases", "expected")
    rows = [
        (
            instance.instance_name,
            instance.engine,
            instance.total_bytes,
            instance.shared_bytes,
            instance.change_bytes,
            instance.database_count,
            instance.expected_count,
        )
        for instance in report.instances
    ]
    shared = report.summary.shared_bytes
    return {
        **_coverage(report.summary),
        **({} if shared is None else {"shared_bytes": shared}),
        "instances": report.summary.instances,
        "dagster/partition_row_count": report.summary.instances,
        "largest": markdown_table(columns, rows),
    }


def coverage_metadata(database: Database, last_day: date) -> dg.MarkdownMetadataValue:
    """The coverage calendar up to this day: one row per instance, one sign per day. Instances with the most missing days come first."""
    days = days_until(last_day, CALENDAR_DAYS)
    calendar = list(coverage_calendar(read_coverage(database, days), days))
    calendar.sort(key=lambda row: -sum(state in {CoverageState.MISSING, CoverageState.PARTLY_MISSING} for state in row.states))
    rows = "\n".join(f"{row.signs}  {printable(row.instance_name)}" for row in calendar[:CALENDAR_ROWS])
    more = f"\n… and {len(calendar) - CALENDAR_ROWS} more" if len(calendar) > CALENDAR_ROWS else ""
    return dg.MetadataValue.md(f"{days[0]} to {days[-1]}; {LEGEND}\n\n```text\n{rows}{more}\n```")


def gap_row(gap: Gap) -> tuple[str, str, str, str]:
    """One gap as a row of a `MISSING` table."""
    return (gap.instance_name, gap.database_name or "(never listed)", gap.reason, gap.detail)


def notices_table(notices: Iterable[Notice]) -> dg.MarkdownMetadataValue:
    """A table of the notices about measured databases."""
    rows = ((notice.instance_name, notice.database_name, notice.notice) for notice in notices)
    return markdown_table(("instance", "database", "what it is, and what to do"), rows)


def _database_row(database: RankedDatabase) -> tuple[object, ...]:
    return (database.instance_name, database.database_name, database.total_bytes, database.change_bytes)


def _coverage(figures: DaySummary) -> Metadata:
    known = {
        # The plot of the total would drop on a day with a missing server, so such a day has only the held total.
        "total_bytes": figures.total_bytes if figures.is_complete else None,
        "held_total_bytes": figures.held_total_bytes,
        "change_bytes": figures.change_bytes,
    }
    return {
        **{name: value for name, value in known.items() if value is not None},
        "measured": figures.measured,
        "recovered": figures.recovered,
        "estimated": figures.estimated,
        "missing": figures.missing,
    }
