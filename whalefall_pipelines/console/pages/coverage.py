"""The calendar of coverage, which several pages show: of servers, or of the servers of a tag where there are too many for a row each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from whalefall_pipelines.capacity.coverage import CalendarRow, Coverage, CoverageState, coverage_calendar
from whalefall_pipelines.console.blocks import Picture
from whalefall_pipelines.console.charts import calendar
from whalefall_pipelines.console.charts.calendar import Cell, calendar_chart
from whalefall_pipelines.console.urls import missing_url, server_url

ROWS = 50
UNTAGGED = "without a tag"
# From the least to the most certain, as a calendar lists its rows.
_WORST_FIRST = list(CoverageState)
_KEY = (
    '<g class="cell {}"><rect x="1" y="1" width="12" height="12" rx="2"/><text class="sign" x="7" y="11" text-anchor="middle">{}</text></g>'
)
COVERAGE_LEGEND = tuple((_KEY.format(state.replace(" ", "-"), state.sign), str(state)) for state in CoverageState)


def coverage_picture(title: str, coverage: Iterable[Coverage], days: Sequence[date], groups: Mapping[str, str] | None = None) -> Picture:
    """The calendar, with the rows first that know least of their newest days. `groups` is the group of each instance.

    With more than `ROWS` servers a row is a group, or without groups the calendar ends after `ROWS`.
    """
    covered = list(coverage)
    rows = coverage_calendar(covered, days)
    if len(rows) > ROWS and groups:
        drawn = [_group_row(name, members, days) for name, members in _grouped(rows, groups).items()]
    else:
        entries = {(entry.instance_name, entry.stat_date): entry for entry in covered}
        drawn = [_row(row, days, entries) for row in sorted(rows, key=_rank)[:ROWS]]
    return Picture(title, calendar_chart(title, days, drawn), COVERAGE_LEGEND)


def _rank(row: CalendarRow) -> tuple[list[int], str]:
    return [_WORST_FIRST.index(state) for state in reversed(row.states)], row.instance_name


def _row(row: CalendarRow, days: Sequence[date], coverage: Mapping[tuple[str, date], Coverage]) -> calendar.CalendarRow:
    cells = [_cell(day, state, coverage.get((row.instance_name, day))) for day, state in zip(days, row.states, strict=True)]
    return calendar.CalendarRow(row.instance_name, cells, server_url(row.instance_name))


def _cell(day: date, state: CoverageState, coverage: Coverage | None) -> Cell:
    if coverage is None:
        return Cell(state, state.sign, f"{day}: {state}")
    known = coverage.measured + coverage.recovered + coverage.estimated
    counted = "databases were never listed" if coverage.expected is None else f"{known} of {known + coverage.missing} databases"
    reasons = f" ({', '.join(coverage.reasons)})" if coverage.reasons else ""
    return Cell(state, state.sign, f"{day}: {state}, {counted}{reasons}", missing_url(day) if coverage.missing else None)


def _grouped(rows: Iterable[CalendarRow], groups: Mapping[str, str]) -> Mapping[str, list[CalendarRow]]:
    grouped: defaultdict[str, list[CalendarRow]] = defaultdict(list)
    for row in rows:
        grouped[groups.get(row.instance_name, UNTAGGED)].append(row)
    return dict(sorted(grouped.items()))


def _group_row(name: str, members: Sequence[CalendarRow], days: Sequence[date]) -> calendar.CalendarRow:
    cells: list[Cell] = []
    for position, day in enumerate(days):
        states = [row.states[position] for row in members if row.states[position] is not CoverageState.NOT_EXPECTED]
        worst = min(states, key=_WORST_FIRST.index, default=CoverageState.NOT_EXPECTED)
        count = states.count(worst)
        cells.append(Cell(worst, worst.sign, f"{day}: {worst} on {count} of {len(states)} servers", missing_url(day)))
    return calendar.CalendarRow(f"{name} ({len(members)})", cells)
