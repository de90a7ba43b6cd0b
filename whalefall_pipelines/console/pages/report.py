"""The report of a week, as it was sent; made to be printed."""

from datetime import date, timedelta

from whalefall_pipelines.alerts.report_week import monday_of, read_week
from whalefall_pipelines.alerts.weekly import Section
from whalefall_pipelines.console.blocks import Block, Field, Page, Search, Table, Value, text
from whalefall_pipelines.domain.quantities import parse_size
from whalefall_pipelines.store.database import Database


def report_page(database: Database, today: date, day: date | None) -> Page:
    """The report of the week of a day, or of the newest week that is over."""
    week_start = monday_of(day or today - timedelta(days=7))
    report = read_week(database, week_start)
    question = Search("Show", [Field("day", "Week of", week_start.isoformat(), kind="date")])
    blocks: list[Block] = [question, *(_table(number, section) for number, section in enumerate(report.sections))]
    return Page(f"Week {week_start.isocalendar().week} of {week_start.isocalendar().year}", _answer(week_start), blocks)


def _answer(week_start: date) -> str:
    return f"From Monday {week_start} to Sunday {week_start + timedelta(days=6)}."


def _value(cell: str) -> Value:
    """A cell of a report, which is text; a number in it is sorted as one."""
    sign = -1 if cell.startswith("-") else 1
    total_bytes = parse_size(cell.lstrip("+-"))
    if total_bytes is not None:
        return Value(cell, sign * total_bytes, is_number=True)
    share = cell.removesuffix(" %")
    return Value(cell, float(share), is_number=True) if share.replace(".", "", 1).isdigit() else text(cell)


def _table(number: int, section: Section) -> Table:
    rows = [[_value(cell) for cell in row] for row in section.rows]
    return Table(f"section-{number}", section.heading, section.columns, rows, "", section.sentence)
