"""How big is the fleet today, what grew, and what needs a person."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from whalefall_pipelines.capacity.answers import FleetDay, Growth, LargeDatabase
from whalefall_pipelines.capacity.ask import Answer, fastest_growth, fleet_totals, largest_databases
from whalefall_pipelines.capacity.coverage import days_until
from whalefall_pipelines.capacity.day_reports import summarize_day
from whalefall_pipelines.capacity.figures import DaySummary, Gap
from whalefall_pipelines.console.blocks import (
    Block,
    Card,
    Cards,
    Field,
    Note,
    Page,
    Picture,
    Search,
    Table,
    Tone,
    Value,
    change,
    day,
    number,
    problem,
    size,
    text,
)
from whalefall_pipelines.console.charts.series import Mark, Point, Series, series_chart
from whalefall_pipelines.console.pages.coverage import coverage_picture
from whalefall_pipelines.console.pages.provenance import MARK_LEGEND
from whalefall_pipelines.console.urls import database_url, missing_url, server_url
from whalefall_pipelines.domain.quantities import counted, round_size
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database

DAYS, RANKED, MOST_RANKED = 30, 20, 500
_REASONS, _NAMED = 3, 3


def fleet_page(database: Database, today: date, days: int, top: int) -> Page:
    """The page of the fleet on its newest day that has sizes, with its last `days`, and `top` databases in each ranking."""
    try:
        largest = largest_databases(database, today, most=top)
    except NotFoundError as error:
        return Page("Fleet", "Nothing has been measured yet.", [Note(Tone.WARNING, "There are no sizes to show.", str(error))])
    newest = largest.last_day
    summary, gaps = summarize_day(database, newest)
    blocks: list[Block] = [*_attention(summary, gaps), _question(days, top)]
    totals = _totals(database, today, days)
    blocks.append(_cards(summary, totals, days))
    if totals is not None:
        blocks.append(_total_picture(totals))
    blocks.append(coverage_picture(f"Coverage of the last {days} days", database, days_until(newest, days)))
    blocks += [_largest(largest.rows), *_fastest(database, today, days, top)]
    return Page("Fleet", _answer(summary, newest), blocks)


def _answer(summary: DaySummary, newest: date) -> str:
    total = summary.held_total_bytes
    if total is None:
        return f"On {newest} no size is known."
    if summary.is_complete:
        servers = counted(summary.instances, "server holds", "servers hold")
        return f"{servers} {round_size(total)} on {newest}; every expected database was measured."
    databases = counted(summary.expected, "database")
    missing = counted(
        summary.missing,
        f"of {databases} is missing and counts with its last known size",
        f"of {databases} are missing and count with their last known size",
    )
    return f"The fleet holds {round_size(total)} on {newest}; {missing}."


def _attention(summary: DaySummary, gaps: Sequence[Gap]) -> list[Note]:
    """What is missing, by reason, the most frequent first, with the servers."""
    if not summary.missing:
        return [Note(Tone.GOOD, "Nothing is missing today.", "Every expected database has a size.")]
    reasons = Counter(gap.reason for gap in gaps).most_common(_REASONS)
    details = {gap.reason: gap.detail for gap in gaps}
    return [problem(f"{count} missing on {_servers(gaps, reason)}: {reason}.", details[reason]) for reason, count in reasons]


def _servers(gaps: Sequence[Gap], reason: str) -> str:
    names = sorted({gap.instance_name for gap in gaps if gap.reason == reason})
    return ", ".join(names) if len(names) <= _NAMED else f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _question(days: int, top: int) -> Search:
    return Search(
        "Show", [Field("days", "Days", str(days), kind="number"), Field("top", "Databases in each ranking", str(top), kind="number")]
    )


def _totals(database: Database, today: date, days: int) -> Answer[FleetDay] | None:
    try:
        return fleet_totals(database, today, timedelta(days=days))
    except InputError:
        return None  # a store that was made today has no day before


def _cards(summary: DaySummary, totals: Answer[FleetDay] | None, days: int) -> Cards:
    known = [row for row in totals.rows if row.total_bytes is not None] if totals else []
    grown = known[-1].total_bytes - known[0].total_bytes if len(known) > 1 and known[-1].total_bytes and known[0].total_bytes else None
    counts = {"measured": summary.measured, "recovered": summary.recovered, "estimated": summary.estimated, "missing": summary.missing}
    covered = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    return Cards(
        [
            Card("Total", size(summary.held_total_bytes), covered),
            Card(
                f"Change in {days} days",
                replace(change(grown), url=f"/growth?days={days}"),
                f"since {known[0].stat_date}" if grown is not None else "one day is known",
            ),
            Card("Servers", replace(number(summary.instances), url="/instances"), "with a total on this day"),
            Card("Databases", number(summary.expected), "expected on this day"),
            Card("Missing", replace(number(summary.missing), url="/missing"), "without a size"),
        ]
    )


def _total_picture(totals: Answer[FleetDay]) -> Picture:
    points = [_point(row) for row in totals.rows]
    table = Table(
        "total",
        "Total",
        ("Day", "Total", "Servers", "Held", "Unknown"),
        [
            (day(row.stat_date), size(row.total_bytes), number(row.instances), number(row.held), number(row.unknown))
            for row in reversed(totals.rows)
        ],
    )
    return Picture("Total of the fleet", series_chart(Series("Fleet", points)), MARK_LEGEND, table, is_series=True)


def _point(row: FleetDay) -> Point:
    if row.total_bytes is None:
        return Point(row.stat_date, None, Mark.MISSING, url=missing_url(row.stat_date))
    if not row.held:
        return Point(row.stat_date, row.total_bytes, Mark.MEASURED)
    servers = counted(row.instances, "server")
    held = counted(row.held, f"of {servers} at its newest complete total", f"of {servers} at their newest complete total")
    return Point(row.stat_date, row.total_bytes, Mark.HELD, held, missing_url(row.stat_date))


def _largest(rows: Sequence[LargeDatabase]) -> Table:
    return Table(
        "largest",
        "Largest databases",
        ("Database", "Server", "Size", "State", "As of"),
        [
            (
                text(row.database_name, database_url(row.instance_name, row.database_name) if row.database_name else None),
                text(row.instance_name, server_url(row.instance_name)),
                size(row.known_bytes),
                text(f"missing ({row.reason})" if row.reason else row.state),
                day(row.known_date),
            )
            for row in rows
        ],
    )


def _fastest(database: Database, today: date, days: int, top: int) -> list[Table]:
    try:
        growth = fastest_growth(database, today, timedelta(days=days), most=top)
    except InputError:
        return []
    return [
        Table(
            "fastest",
            f"Fastest growing since {growth.first_day}",
            ("Database", "Server", "Change", "Percent", "A day", "Size"),
            [_growth_row(row) for row in growth.rows],
        )
    ]


def _growth_row(row: Growth) -> Sequence[Value]:
    percent = None if row.change_percent is None else round(row.change_percent, 1)
    return (
        text(row.database_name, database_url(row.instance_name, row.database_name) if row.database_name else None),
        text(row.instance_name, server_url(row.instance_name)),
        change(row.change_bytes),
        number(percent, " %"),
        change(row.bytes_a_day),
        size(row.to_bytes),
    )
