"""Output of the commands: tables for people, JSON and CSV for programs. Notes and progress (`progress.py`) go to standard error."""

import csv
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn

import click

from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.terminal.tables import TableColumn, are_sizes, lay_out

# Exit codes of every command.
SUCCESS, PARTIAL, FAILURE = 0, 1, 2


class Form(StrEnum):
    """The form in which a list is printed. Programs get exact values, people rounded ones."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"

    @property
    def is_exact(self) -> bool:
        """Whether a program reads it."""
        return self is not Form.TABLE


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options --json and --csv of a command that prints a list, as its parameter `form`."""
    as_json = click.option("--json", "form", flag_value=Form.JSON, type=Form, default=Form.TABLE, help="Print JSON instead of a table.")
    as_csv = click.option("--csv", "form", flag_value=Form.CSV, type=Form, default=Form.TABLE, help="Print CSV instead of a table.")
    return as_json(as_csv(command))


def note(sentence: str) -> None:
    """Print a progress note on standard error. A closed terminal is ignored, because nobody is there to read it."""
    with suppress(OSError):
        click.echo(sentence, err=True)


def print_json(document: object) -> None:
    """Print one JSON document. Dates are in ISO format, bytes are integers, unknown values are null."""
    click.echo(json.dumps(document, default=str, ensure_ascii=False, indent=2))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, object]],
    *,
    form: Form = Form.TABLE,
    empty: str = "",
    droppable: Sequence[str] = (),
) -> None:
    """Print rows with these columns (their keys). `empty` is printed instead of a table without rows.

    On a narrow terminal the `droppable` columns are left out of a table, the least important one first. A pipe gets all of them.
    """
    if form is Form.JSON:
        print_json([{column: row.get(column) for column in columns} for row in rows])
    elif form is Form.CSV:
        print_csv(columns, rows)
    elif not rows:
        click.echo(empty)
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        laid_out = lay_out([_table_column(column, rows) for column in columns], width, droppable=droppable)
        for line in laid_out.header:
            click.secho(line, bold=True)
        for line in laid_out.lines:
            click.echo(line)
        if laid_out.left_out:
            note(f"Not shown at this width: {', '.join(laid_out.left_out)}.")


def _table_column(name: str, rows: Sequence[Mapping[str, object]]) -> TableColumn:
    cells = tuple(cell(row.get(name)) for row in rows)
    values = [row.get(name) for row in rows]
    are_numbers = all(isinstance(value, int | float | None) and not isinstance(value, bool) for value in values)
    return TableColumn(name, cells, is_numeric=are_numbers or are_sizes(cells))


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Print CSV with a header, row by row. Unknown values are empty, instants are in ISO format, lists and mappings are JSON."""
    if not columns:
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_value(row.get(column)) for column in columns] for row in rows)


def _csv_value(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | tuple | dict) else value


def cell(value: object) -> str:
    """Format one value for people. Unknown is a dash. Control characters in hostile names are escaped and never reach the terminal.

    Timestamps stay in the store's time zone, which is also the time zone of the days beside them.
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def format_bytes(size: int | None) -> str:
    """Format a size for people, such as 1.5 GB. --json has the exact bytes."""
    return "–" if size is None else round_size(size)


def leave(exit_code: int) -> NoReturn:
    """End the command with this exit code."""
    raise SystemExit(exit_code)


def format_duration(started_at: datetime | None, completed_at: datetime | None) -> str | None:
    """Format the seconds between start and end; None while the work has not ended."""
    return f"{(completed_at - started_at).total_seconds():.1f}" if started_at and completed_at else None
