"""What is missing on a day, by reason, each with the next step; and what was estimated."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from whalefall_pipelines.capacity.ask import newest_day
from whalefall_pipelines.capacity.coverage import days_until
from whalefall_pipelines.capacity.day_reports import summarize_day
from whalefall_pipelines.capacity.figures import Gap
from whalefall_pipelines.console.actions.sessions import BACKFILL
from whalefall_pipelines.console.blocks import Block, Forms, Note, Page, Table, Tone, problem, text
from whalefall_pipelines.console.pages.coverage import coverage_picture
from whalefall_pipelines.console.urls import database_url, server_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.store.database import Database

_COVERED_DAYS = 30


def missing_page(database: Database, today: date, day: date | None) -> Page:
    """What is missing on a day, or on the newest day that has sizes."""
    try:
        day = day or newest_day(database, today)
    except NotFoundError as error:
        return Page("Missing", "Nothing has been measured yet.", [Note(Tone.WARNING, "There are no days to show.", str(error))])
    summary, gaps = summarize_day(database, day)
    days = days_until(day, _COVERED_DAYS)
    blocks: list[Block] = [*_reasons(gaps)]
    if gaps and gaps[0].missing_of_day > len(gaps):
        blocks.append(Note(Tone.WARNING, f"Only the first {len(gaps)} of {gaps[0].missing_of_day} missing databases are listed."))
    blocks.append(coverage_picture(f"Coverage until {day}", database, days))
    # A day that is not over is not backfilled: the next collection measures it.
    repaired = str(min(day, today - timedelta(days=1)))
    blocks += [Forms([BACKFILL.form({"first_day": repaired, "last_day": repaired})]), _table(gaps)]
    expected = counted(summary.expected, "expected database")
    missing = counted(summary.missing, f"of {expected} is missing", f"of {expected} are missing")
    return Page("Missing", f"{missing} on {day}, and {counted(summary.estimated, 'is', 'are')} estimated.", blocks)


def _reasons(gaps: Sequence[Gap]) -> list[Note]:
    """One note for each advice: gaps with the same cause have the same detail."""
    grouped: defaultdict[tuple[str, str], list[Gap]] = defaultdict(list)
    for gap in gaps:
        grouped[gap.reason, gap.detail].append(gap)
    ranked = sorted(grouped.items(), key=lambda item: (-len(item[1]), item[0]))
    return [problem(f"{_named(members)}: {reason}.", detail) for (reason, detail), members in ranked]


def _named(gaps: Sequence[Gap]) -> str:
    names = [f"{gap.instance_name}/{gap.database_name}" if gap.database_name else gap.instance_name for gap in gaps]
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _table(gaps: Sequence[Gap]) -> Table:
    return Table(
        "missing",
        "Missing databases",
        ("Server", "Database", "Reason", "What to do"),
        [
            (
                text(gap.instance_name, server_url(gap.instance_name)),
                text(gap.database_name, database_url(gap.instance_name, gap.database_name) if gap.database_name else None),
                text(gap.reason),
                text(gap.detail),
            )
            for gap in gaps
        ],
        "Nothing is missing.",
    )
