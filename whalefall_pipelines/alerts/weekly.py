"""The report of a week as data, and as Markdown and HTML. The same sections give the same bytes. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Any

_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1d2733}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:1.8rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d5dbe1}"
    "@media print{body{margin:0;max-width:none}section{break-inside:avoid}}"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report: what it says, and its table. Every cell is text, rounded for people."""

    heading: str
    sentence: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def document(self) -> dict[str, object]:
        """As it is stored."""
        return {"heading": self.heading, "sentence": self.sentence, "columns": list(self.columns), "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """What happened in the week that begins on a Monday."""

    week_start: date
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """One line."""
        year, week, _ = self.week_start.isocalendar()
        return f"whalefall: week {week} of {year}, {self.week_start} to {self.week_start + timedelta(days=6)}"


def read_sections(documents: Sequence[Mapping[str, Any]]) -> tuple[Section, ...]:
    """Sections as they were stored."""
    return tuple(
        Section(document["heading"], document["sentence"], tuple(document["columns"]), tuple(tuple(row) for row in document["rows"]))
        for document in documents
    )


def to_markdown(report: WeeklyReport) -> str:
    """The report as Markdown. Names cannot break out of their cells."""
    lines = [f"# {report.title}"]
    for section in report.sections:
        lines += ["", f"## {section.heading}", "", section.sentence]
        if section.rows:
            lines += ["", _line(section.columns), _line(["---"] * len(section.columns)), *map(_line, section.rows)]
    return "\n".join(lines) + "\n"


def to_html(report: WeeklyReport) -> str:
    """The report as a page that can be mailed and printed."""
    parts = [f"<h1>{escape(report.title)}</h1>"]
    for section in report.sections:
        table = ""
        if section.rows:
            head = "".join(f"<th>{escape(column)}</th>" for column in section.columns)
            body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.rows)
            table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        parts.append(f"<section><h2>{escape(section.heading)}</h2><p>{escape(section.sentence)}</p>{table}</section>")
    head = f'<meta charset="utf-8"><title>{escape(report.title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
