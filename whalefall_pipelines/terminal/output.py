"""Output of the commands: tables for people and JSON for programs. Progress and notes go to standard error."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from whalefall_pipelines.domain.quantities import round_size

# Exit codes of every command.
SUCCESS, PARTIAL, FAILURE = 0, 1, 2

# The length of a session id, which is longer than most names.
_LONGEST_NAME = 36

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def console() -> Console:
    """Standard output for tables. In a pipe it is as wide as its content, so that nothing is cut off."""
    terminal = Console(soft_wrap=False, highlight=False)
    return terminal if terminal.is_terminal else Console(width=400, highlight=False, force_terminal=False)


def error_console() -> Console:
    """Standard error, for progress."""
    return Console(stderr=True, highlight=False)


def note(sentence: str) -> None:
    """Print a progress note on standard error. A closed terminal is ignored, because nobody is there to read it."""
    with suppress(OSError):
        click.echo(sentence, err=True)


def print_json(document: object) -> None:
    """Print one JSON document. Dates are in ISO format, bytes are integers, unknown values are null."""
    click.echo(json.dumps(document, default=str, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, as_json: bool, empty: str) -> None:
    """Print rows as a table with these columns (their keys), or as a JSON list. `empty` is printed when there are no rows."""
    if as_json:
        print_json([{column: row.get(column) for column in columns} for row in rows])
    elif not rows:
        click.echo(empty)
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, column in enumerate(columns):
            numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
            # The first column is the name that the next command needs. It is never wrapped unless it would leave no room for the others.
            stays_whole = number == 0 and all(len(cell(row.get(column))) <= _LONGEST_NAME for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=stays_whole)
        for row in rows:
            table.add_row(*(Text(cell(row.get(column))) for column in columns))
        console().print(table)


def cell(value: object) -> str:
    """Format one value for people. Unknown is a dash. Control characters in hostile names are escaped and never reach the terminal.

    Timestamps stay in the store's time zone, which is also the time zone of the days beside them.
    """
    if value is None:
        return "–"
    text = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def yes_or_no(value: bool) -> str:
    """Format a boolean for people; in JSON it is true or false."""
    return "yes" if value else "no"


def format_bytes(size: int | None) -> str:
    """Format a size for people, such as 1.5 GiB. --json has the exact bytes."""
    return "–" if size is None else round_size(size)


def leave(exit_code: int) -> NoReturn:
    """End the command with this exit code."""
    raise SystemExit(exit_code)


def format_duration(started_at: datetime | None, completed_at: datetime | None) -> str | None:
    """Format the seconds between start and end; None while the work has not ended."""
    return f"{(completed_at - started_at).total_seconds():.1f}" if started_at and completed_at else None
