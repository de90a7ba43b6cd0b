"""The calendar of coverage, which several pages show: of servers, or of the servers of a tag where there are too many for a row each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from whalefall_pipelines.capacity.coverage import CoverageState, CoveredDay
from whalefall_pipelines.capacity.day_reports import read_covered_days
from whalefall_pipelines.console.blocks import Picture
from whalefall_pipelines.console.charts.calendar import CalendarRow, Cell, calendar_chart
from whalefall_pipelines.console.urls import missing_url, server_url
from whalefall_pipelines.store.database import Database

ROWS = 50
# From the least to the most certain, as a calendar lists its rows.
_WORST_FIRST = list(CoverageState)
_KEY = (
    '<g class="cell {}"><rect x="1" y="1" width="12" height="12" rx="2"/><text class="sign" x="7" y="11" text-anchor="middle">{}</text></g>'
)
_INCOMPLETE = frozenset({CoverageState.MISSING, CoverageState.PARTLY_MISSING})
COVERAGE_LEGEND = tuple((_KEY.format(state.replace(" ", "-"), state.sign), str(state)) for state in CoverageState)


def coverage_picture(title: str, database: Database, days: Sequence[date], instance_id: int | None = None) -> Picture:
    """The calendar of these consecutive days, with the rows first that know least of the newest ones."""
    covered = read_covered_days(database, days, most_rows=ROWS, instance_id=instance_id)
    rows: defaultdict[str, dict[date, list[CoveredDay]]] = defaultdict(dict)
    for entry in covered:
        rows[entry.row_name].setdefault(entry.stat_date, []).append(entry)
    ranked = sorted(rows.items(), key=lambda row: ([_WORST_FIRST.index(_worst(row[1].get(day, ()))) for day in reversed(days)], row[0]))
    return Picture(title, calendar_chart(title, days, [_row(name, states, days) for name, states in ranked[:ROWS]]), COVERAGE_LEGEND)


def _worst(entries: Sequence[CoveredDay]) -> CoverageState:
    return min((entry.state for entry in entries), key=_WORST_FIRST.index, default=CoverageState.NOT_EXPECTED)


def _row(name: str, states: Mapping[date, Sequence[CoveredDay]], days: Sequence[date]) -> CalendarRow:
    servers = max(sum(entry.instances for entry in entries) for entries in states.values())
    cells = [_cell(day, states.get(day, ()), servers) for day in days]
    return CalendarRow(name, cells, server_url(name)) if servers == 1 else CalendarRow(f"{name} ({servers})", cells)


def _cell(day: date, entries: Sequence[CoveredDay], servers: int) -> Cell:
    state = _worst(entries)
    if not entries:
        return Cell(state, state.sign, f"{day}: {state}")
    missing = sum(entry.missing for entry in entries)
    if servers > 1:
        count, expected = sum(entry.instances for entry in entries if entry.state is state), sum(entry.instances for entry in entries)
        return Cell(state, state.sign, f"{day}: {state} on {count} of {expected} servers", missing_url(day))
    (entry,) = entries
    reasons = f" ({entry.reasons})" if entry.reasons else ""
    counted = f"{entry.known} of {entry.known + missing} databases" if entry.known + missing else "databases were never listed"
    return Cell(state, state.sign, f"{day}: {state}, {counted}{reasons}", missing_url(day) if state in _INCOMPLETE else None)
