"""Metadata of a day in the Dagster UI: numbers that are plotted over time, and tables. All of it is read from the store."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby

import dagster as dg

from whalefall_pipelines.capacity.coverage import LEGEND, CoverageState, coverage_calendar, days_until
from whalefall_pipelines.capacity.day_reports import DayReport, read_coverage
from whalefall_pipelines.capacity.figures import DaySummary, Gap, RankedDatabase
from whalefall_pipelines.dagster_base.metadata import (
    Metadata,
    escaped,
    exact_bytes,
    gigabytes,
    markdown_table,
    printable,
    shown_change,
    shown_size,
)
from whalefall_pipelines.domain.sessions import Notice
from whalefall_pipelines.store.database import Database

CALENDAR_DAYS = 30
CALENDAR_ROWS = 50


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
    """The metadata of `database_size_stats` for a day: first what is missing, then the figures, then the rankings."""
    growing = sorted((database for database in report.databases if database.growth_rank), key=lambda database: database.growth_rank or 0)
    largest = sorted(report.databases, key=lambda database: database.size_rank)
    columns = ("instance", "database", "size", "change")
    return {
        "missing": report.summary.missing,
        **gap_list(report.gaps),
        **_figures(report.summary),
        "instances": report.summary.instances,
        "databases": report.summary.databases,
        **markdown_table("largest", columns, [_database_row(database) for database in largest if database.size_rank <= 10]),
        **markdown_table("fastest growing", columns, [_database_row(database) for database in growing[:10]]),
        "dagster/partition_row_count": report.summary.databases,
    }


def instance_metadata(report: DayReport) -> Metadata:
    """The metadata of `instance_size_stats` for a day."""
    columns = ("instance", "engine", "size", "change", "of no database", "databases")
    rows = [
        (
            instance.instance_name,
            instance.engine,
            shown_size(instance.total_bytes),
            shown_change(instance.change_bytes),
            shown_size(instance.shared_bytes),
            f"{instance.database_count} of {instance.expected_count}",
        )
        for instance in report.instances
    ]
    return {
        "missing": report.summary.missing,
        **_figures(report.summary),
        **gigabytes(shared_gb=report.summary.shared_bytes),
        "instances": report.summary.instances,
        **markdown_table("largest", columns, rows),
        **exact_bytes(shared_bytes=report.summary.shared_bytes),
        "dagster/partition_row_count": report.summary.instances,
    }


def day_bytes(summary: DaySummary) -> Metadata:
    """The exact sizes of a day."""
    return exact_bytes(total_bytes=_whole_total(summary), held_total_bytes=summary.held_total_bytes, change_bytes=summary.change_bytes)


def coverage_metadata(database: Database, last_day: date) -> dg.MarkdownMetadataValue:
    """The coverage calendar up to this day: one row per instance, one sign per day. Instances with the most missing days come first."""
    days = days_until(last_day, CALENDAR_DAYS)
    calendar = list(coverage_calendar(read_coverage(database, days), days))
    calendar.sort(key=lambda row: -sum(state in {CoverageState.MISSING, CoverageState.PARTLY_MISSING} for state in row.states))
    rows = "\n".join(f"{row.signs}  {printable(row.instance_name)}" for row in calendar[:CALENDAR_ROWS])
    more = f"\n… and {len(calendar) - CALENDAR_ROWS} more" if len(calendar) > CALENDAR_ROWS else ""
    return dg.MetadataValue.md(f"{days[0]} to {days[-1]}; {LEGEND}\n\n```text\n{rows}{more}\n```")


def gap_list(gaps: Iterable[Gap], *, with_day: bool = False) -> Metadata:
    """What is missing, with its reason and what to do; no entry if nothing is missing.

    A list, because the column of a table would break a GRANT into single words. Databases of an instance with the same reason share one
    item.
    """
    grouped = groupby(gaps, key=lambda gap: (gap.stat_date, gap.instance_name, gap.reason, gap.detail))
    items = [
        f"- {f'{day} ' if with_day else ''}**{escaped(instance_name)}**: "
        f"{', '.join(escaped(gap.database_name or '(never listed)') for gap in group)} ({escaped(reason)})\n\n  {escaped(detail)}"
        for (day, instance_name, reason, detail), group in grouped
    ]
    return {"missing, with reasons": dg.MetadataValue.md("\n".join(items))} if items else {}


def notices_table(notices: Iterable[Notice]) -> Metadata:
    """A table of the notices about measured databases; no entry if there are none."""
    rows = ((notice.instance_name, notice.database_name, notice.notice) for notice in notices)
    return markdown_table("notices", ("instance", "database", "what it is, and what to do"), rows)


def _database_row(database: RankedDatabase) -> tuple[object, ...]:
    return (database.instance_name, database.database_name, shown_size(database.total_bytes), shown_change(database.change_bytes))


def _whole_total(summary: DaySummary) -> int | None:
    """The total of a complete day. Its plot would drop on a day with a missing server, so such a day has only the held total."""
    return summary.total_bytes if summary.is_complete else None


def _figures(summary: DaySummary) -> Metadata:
    return {
        **gigabytes(
            total_gb=_whole_total(summary),
            held_total_gb=summary.held_total_bytes,
            change_gb=summary.change_bytes,
        ),
        "measured": summary.measured,
        "recovered": summary.recovered,
        "estimated": summary.estimated,
    }
