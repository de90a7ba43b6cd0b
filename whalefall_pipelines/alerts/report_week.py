"""Makes the report of a week: total, growth by tag, runways, changes of access, coverage, alerts. `weekly.py` has its forms.

The report of a week that is over is made once, kept, and queued for every channel that wants reports.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from whalefall_pipelines.alerts.model import Kind
from whalefall_pipelines.alerts.store import outbox, reports
from whalefall_pipelines.alerts.store.alerts import find_evaluation
from whalefall_pipelines.alerts.store.outbox import NewMessage
from whalefall_pipelines.alerts.store.rules import list_channels, list_tags
from whalefall_pipelines.alerts.weekly import Section, WeeklyReport, read_sections, to_html, to_markdown
from whalefall_pipelines.capacity.ask import fastest_growth, fleet_totals
from whalefall_pipelines.capacity.day_reports import read_coverage
from whalefall_pipelines.domain.quantities import counted, round_size
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.forecasts.ask import runways
from whalefall_pipelines.growth.attribute import Grouping, attribute
from whalefall_pipelines.store.database import Database

_MOST = 10
_UNKNOWN = "unknown"


def monday_of(day: date) -> date:
    """The Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


def read_week(database: Database, week_start: date) -> WeeklyReport:
    """The report of a week as it was sent; if it was not, as it would be made now. Nothing is stored.

    Raises:
        InputError: the day is no Monday.
    """
    if week_start.weekday() != 0:
        raise InputError(f"{week_start} is no Monday; the week begins on {monday_of(week_start)}.")
    with database.transaction() as cursor:
        stored = reports.find_report(cursor, week_start)
    return WeeklyReport(week_start, read_sections(stored) if stored is not None else _sections(database, week_start))


def send_last_week(database: Database, now: datetime) -> bool:
    """Keep and queue the report of the week before the newest evaluated day, once. Returns whether it was made now.

    A week in which no day was evaluated has none.
    """
    with database.transaction() as cursor:
        newest = find_evaluation(cursor, date.max)
        monday = monday_of(newest.day if newest else now.date())
        of_the_week = find_evaluation(cursor, monday)
        week_start = monday - timedelta(days=7)
        if of_the_week is None or of_the_week.day < week_start or reports.find_report(cursor, week_start) is not None:
            return False
    report = WeeklyReport(week_start, _sections(database, week_start))
    with database.transaction() as cursor:
        if not reports.insert_report(cursor, week_start, now, json.dumps([section.document for section in report.sections])):
            return False
        channels = [channel for channel in list_channels(cursor) if channel.has_reports]
        document = {"kind": "report", "week_start": week_start.isoformat(), "sections": [section.document for section in report.sections]}
        messages = [
            NewMessage(
                # the same for one week and channel, whoever makes it
                uuid5(NAMESPACE_URL, f"whalefall:report:{week_start}:{channel.channel_name}"),
                channel.channel_id,
                Kind.REPORT,
                report.title,
                to_markdown(report),
                document,
                html=to_html(report),
            )
            for channel in channels
        ]
        outbox.write_messages(cursor, messages, [], now)
    return True


def _sections(database: Database, week_start: date) -> tuple[Section, ...]:
    days = [week_start + timedelta(days=number) for number in range(7)]
    return (
        _total(database, days),
        _growth_by_tag(database, days),
        _fastest(database, days),
        _runways(database),
        _access(database, days),
        _coverage(database, days),
        _alerts(database, days),
    )


def _total(database: Database, days: Sequence[date]) -> Section:
    rows: list[tuple[str, ...]] = []
    sentence = "Nothing was measured in this week."
    with suppress(InputError):
        totals = fleet_totals(database, days[-1], days[0] - timedelta(days=1)).rows
        known = [total for total in totals if total.total_bytes is not None]
        of_week = [total for total in totals if total.stat_date >= days[0]]
        rows = [(str(total.stat_date), _size(total.total_bytes), str(total.instances), str(total.held)) for total in of_week]
        if known:
            change = (known[-1].total_bytes or 0) - (known[0].total_bytes or 0)
            sentence = (
                f"The fleet has {_size(known[-1].total_bytes)} on {known[-1].stat_date}, {_change(change)} since {known[0].stat_date}."
            )
    return Section("Total", sentence, ("Day", "Total", "Servers", "With an older total"), tuple(rows))


def _growth_by_tag(database: Database, days: Sequence[date]) -> Section:
    with database.transaction() as cursor:
        tags = list_tags(cursor)
    keys = Counter(key for of_server in tags.values() for key in of_server)
    if not keys:
        return Section("Growth by tag", "No server has a tag.")
    key = min(keys, key=lambda name: (-keys[name], name))
    groups: defaultdict[str, int] = defaultdict(int)
    with suppress(InputError):
        for bar in attribute(database, days[0] - timedelta(days=1), days[-1], Grouping("tag", key), most=1).groups:
            if bar.is_held:
                groups[bar.group_name or "(without)"] += bar.change_bytes
    rows = tuple((name, _change(change)) for name, change in sorted(groups.items(), key=lambda item: (-item[1], item[0])))
    sentence = f"By the tag {key}, with missing databases at their last known size."
    return Section("Growth by tag", sentence, (key, "Change"), rows)


def _fastest(database: Database, days: Sequence[date]) -> Section:
    rows: tuple[tuple[str, ...], ...] = ()
    with suppress(InputError):
        grown = fastest_growth(database, days[-1], days[0] - timedelta(days=1), most=_MOST).rows
        rows = tuple(
            (f"{row.instance_name}/{row.database_name}", _change(row.change_bytes), _size(row.to_bytes))
            for row in grown
            if row.change_bytes
        )
    return Section("Fastest growth", f"The {counted(len(rows), 'database')} that changed the most.", ("Database", "Change", "Size"), rows)


def _runways(database: Database) -> Section:
    near = [row for row in runways(database, _MOST) if row.p50_days is not None]
    rows = tuple(
        (
            "/".join(filter(None, (row.instance_name, row.database_name))),
            str(row.p50_date),
            str(row.p50_days),
            f"{_size(row.used_bytes)} of {_size(row.limit_bytes)}",
        )
        for row in near
    )
    reached = counted(
        len(rows),
        "reaches its limit within half a year by its newest forecast",
        "reach their limit within half a year by their newest forecast",
    )
    sentence = f"{reached}." if rows else "No limit is forecast to be reached."
    return Section("Runway", sentence, ("About", "Date", "Days", "Used"), rows)


def _access(database: Database, days: Sequence[date]) -> Section:
    with database.transaction() as cursor:
        changes = reports.count_access_changes(cursor, days[0], days[-1])
    rows = tuple((change.change_type, str(change.changes), str(change.instances)) for change in changes)
    total = sum(change.changes for change in changes)
    return Section("Changes of access", f"{counted(total, 'change')} of accounts and privileges.", ("Change", "How many", "Servers"), rows)


def _coverage(database: Database, days: Sequence[date]) -> Section:
    counts: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0])
    for covered in read_coverage(database, days):
        counts[covered.stat_date][0] += covered.measured + covered.recovered
        counts[covered.stat_date][1] += covered.expected or 0
    rows = tuple((str(day), *_covered(*counts[day])) for day in days)
    known, expected = (sum(count[place] for count in counts.values()) for place in (0, 1))
    share = _covered(known, expected)[1]
    return Section("Coverage", f"{share} of what was expected was measured.", ("Day", "Measured", "Share"), rows)


def _alerts(database: Database, days: Sequence[date]) -> Section:
    with database.transaction() as cursor:
        counts = reports.count_events(cursor, days[0], days[-1])
    rows = tuple((count.rule_name, str(count.opened), str(count.cleared), str(count.still_open)) for count in counts)
    opened = sum(count.opened for count in counts)
    return Section("Alerts", f"{counted(opened, 'alert')} opened in this week.", ("Rule", "Opened", "Cleared", "Open at the end"), rows)


def _covered(known: int, expected: int) -> tuple[str, str]:
    return f"{known} of {expected}", f"{100 * known / expected:.1f} %" if expected else _UNKNOWN


def _size(size: int | None) -> str:
    return _UNKNOWN if size is None else round_size(size)


def _change(change: int | None) -> str:
    return _UNKNOWN if change is None else f"{'+' if change > 0 else ''}{round_size(change)}"
