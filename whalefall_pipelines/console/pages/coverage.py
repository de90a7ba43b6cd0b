"""The calendar of coverage, which several pages show: of servers, or of the servers of a tag where there are too many for a row each."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from whalefall_pipelines.capacity.coverage import CoverageState, CoveredDay
from whalefall_pipelines.capacity.day_reports import read_covered_days
from whalefall_pipelines.console.blocks import Picture, Table, day, number
from whalefall_pipelines.console.charts.calendar import CalendarRow, Cell, calendar_chart
from whalefall_pipelines.console.urls import missing_url, server_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.store.database import Database

ROWS = 50
# From the least to the most certain, as a calendar lists its rows.
_WORST_FIRST = list(CoverageState)
_KEY = (
    '<g class="cell {}"><rect x="1" y="1" width="12" height="12" rx="2"/><text class="sign" x="7" y="11" text-anchor="middle">{}</text></g>'
)

_INCOMPLETE = frozenset({CoverageState.MISSING, CoverageState.PARTLY_MISSING})
_INCOMPLETE_STATES = (CoverageState.MISSING, CoverageState.PARTLY_MISSING, CoverageState.ESTIMATED, CoverageState.RECOVERED)


def _sign(state: CoverageState) -> str:
    """The sign in a cell; what is measured has none, so that the others are seen."""
    return "" if state is CoverageState.MEASURED else state.sign


def _legend() -> Sequence[tuple[str, str]]:
    return tuple((_KEY.format(state.replace(" ", "-"), _sign(state)), str(state)) for state in CoverageState)


def coverage_picture(title: str, database: Database, days: Sequence[date], instance_id: int | None = None) -> Picture:
    """The calendar of these consecutive days, with the rows first that know least of the newest ones, and its incomplete days."""
    covered = read_covered_days(database, days, most_rows=ROWS, instance_id=instance_id)
    rows: defaultdict[str, dict[date, list[CoveredDay]]] = defaultdict(dict)
    for entry in covered:
        rows[entry.row_name].setdefault(entry.stat_date, []).append(entry)
    ranked = sorted(
        rows.items(), key=lambda row: ([_WORST_FIRST.index(_worst(row[1].get(stat_date, ()))) for stat_date in reversed(days)], row[0])
    )
    drawing = calendar_chart(title, days, [_row(name, states, days) for name, states in ranked[:ROWS]])
    return Picture(title, drawing, _legend(), _incomplete_days(covered))


def _incomplete_days(covered: Sequence[CoveredDay]) -> Table:
    """The days on which something is missing or no measurement, the newest first."""
    days: defaultdict[date, dict[CoverageState, int]] = defaultdict(dict)
    missing: Counter[date] = Counter()
    for entry in covered:
        days[entry.stat_date][entry.state] = days[entry.stat_date].get(entry.state, 0) + entry.instances
        missing[entry.stat_date] += entry.missing
    rows = [
        (
            day(stat_date, missing_url(stat_date)),
            number(missing[stat_date]),
            *(number(servers.get(state, 0)) for state in _INCOMPLETE_STATES),
        )
        for stat_date, servers in sorted(days.items(), reverse=True)
        if set(servers) - {CoverageState.MEASURED}
    ]
    columns = ("Day", "Missing databases", *(f"Servers {state}" for state in _INCOMPLETE_STATES))
    return Table("incomplete", "Days that are not complete", columns, rows, "Every day was measured completely.")


def _worst(entries: Sequence[CoveredDay]) -> CoverageState:
    return min((entry.state for entry in entries), key=_WORST_FIRST.index, default=CoverageState.NOT_EXPECTED)


def _row(name: str, states: Mapping[date, Sequence[CoveredDay]], days: Sequence[date]) -> CalendarRow:
    servers = max(sum(entry.instances for entry in entries) for entries in states.values())
    cells = [_cell(stat_date, states.get(stat_date, ()), servers) for stat_date in days]
    return CalendarRow(name, cells, server_url(name)) if servers == 1 else CalendarRow(f"{name} ({servers})", cells)


def _cell(stat_date: date, entries: Sequence[CoveredDay], servers: int) -> Cell:
    state = _worst(entries)
    if not entries:
        return Cell(state, _sign(state), f"{stat_date}: {state}")
    missing = sum(entry.missing for entry in entries)
    if servers > 1:
        count, expected = sum(entry.instances for entry in entries if entry.state is state), sum(entry.instances for entry in entries)
        return Cell(state, _sign(state), f"{stat_date}: {state} on {count:,} of {counted(expected, 'server')}", missing_url(stat_date))
    (entry,) = entries
    reasons = f" ({entry.reasons})" if entry.reasons else ""
    listed = entry.known + missing
    known = f"{entry.known:,} of {counted(listed, 'database')}" if listed else "databases were never listed"
    return Cell(state, _sign(state), f"{stat_date}: {state}, {known}{reasons}", missing_url(stat_date) if state in _INCOMPLETE else None)
