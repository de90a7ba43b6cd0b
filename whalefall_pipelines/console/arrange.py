"""Sorts, filters and exports a table as its query asks: `largest.sort=Size`, `largest.order=desc`, `largest.filter=shop`, `csv=largest`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from whalefall_pipelines.console.blocks import Raw, Table, Value

SHOWN_ROWS = 200
# What a spreadsheet would run as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its name, where a click on it leads, and `ascending`, `descending` or None for a reader of the page."""

    name: str
    url: str
    sorted: str | None
    is_number: bool


@dataclass(frozen=True, slots=True)
class ArrangedTable:
    """A table as it is shown: at most `SHOWN_ROWS` of `matching` rows of `count`."""

    table: Table
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Value]]
    matching: int
    count: int
    filter: str
    csv_url: str
    others: Mapping[str, str]


def arrange(table: Table, query: Mapping[str, str]) -> ArrangedTable:
    """The table in the order and with the filter of the query."""
    rows = _matching(table, query)
    return ArrangedTable(
        table=table,
        headings=[_heading(table, position, query) for position in range(len(table.columns))],
        rows=rows[:SHOWN_ROWS],
        matching=len(rows),
        count=len(table.rows),
        filter=query.get(f"{table.key}.filter", ""),
        csv_url=_with(query, {"csv": table.key}),
        others={name: value for name, value in query.items() if name != f"{table.key}.filter"},
    )


def to_csv(table: Table, query: Mapping[str, str]) -> str:
    """All matching rows with their exact values, in the order of the query; an unknown value is empty."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_exported(value.raw) for value in row] for row in _matching(table, query))
    return file.getvalue()


def _matching(table: Table, query: Mapping[str, str]) -> Sequence[Sequence[Value]]:
    wanted = query.get(f"{table.key}.filter", "").casefold()
    rows = [row for row in table.rows if not wanted or any(wanted in value.text.casefold() for value in row)]
    name, is_descending = _order(table.key, query)
    if name not in table.columns:
        return rows
    column = table.columns.index(name)
    # Unknown values are last in either order.
    known = [row for row in rows if row[column].raw is not None]
    known.sort(key=lambda row: _sort_key(row[column].raw), reverse=is_descending)
    return [*known, *(row for row in rows if row[column].raw is None)]


def _order(key: str, query: Mapping[str, str]) -> tuple[str, bool]:
    return query.get(f"{key}.sort", ""), query.get(f"{key}.order") == "desc"


def _sort_key(raw: Raw) -> tuple[float, str]:
    """Numbers and instants by their value, texts without regard to case; a column has one kind of value."""
    if isinstance(raw, datetime):
        return raw.timestamp(), ""
    if isinstance(raw, date):
        return raw.toordinal(), ""
    return (0, raw.casefold()) if isinstance(raw, str) else (raw or 0, "")


def _heading(table: Table, position: int, query: Mapping[str, str]) -> Heading:
    """A click on a column sorts by it from the largest, on a sorted column turns the order."""
    name = table.columns[position]
    sorted_name, is_descending = _order(table.key, query)
    is_sorted = name == sorted_name
    order = "asc" if is_sorted and is_descending else "desc"
    state = ("descending" if is_descending else "ascending") if is_sorted else None
    url = _with(query, {f"{table.key}.sort": name, f"{table.key}.order": order})
    return Heading(name, url, state, is_number=all(row[position].is_number for row in table.rows))


def _with(query: Mapping[str, str], changed: Mapping[str, str]) -> str:
    return f"?{urlencode({**query, **changed})}"


def _exported(raw: Raw) -> object:
    if isinstance(raw, datetime):
        return raw.isoformat()
    # A name is never a formula to the spreadsheet that opens the file.
    return f"'{raw}" if isinstance(raw, str) and raw.startswith(_FORMULA_STARTS) else raw
