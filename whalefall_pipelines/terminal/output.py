"""What commands print: tables for people, JSON for programs, sentences for both. Progress and notes go to standard error."""

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

# A session's id, and more than most names have.
_LONGEST_NAME = 36

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def console() -> Console:
    """Standard output for tables; as wide as the content when it is no terminal, so that nothing is cut in a pipe."""
    terminal = Console(soft_wrap=False, highlight=False)
    return terminal if terminal.is_terminal else Console(width=400, highlight=False, force_terminal=False)


def error_console() -> Console:
    """Standard error, for progress."""
    return Console(stderr=True, highlight=False)


def note(sentence: str) -> None:
    """Say something about the work to the person, on standard error; a terminal that was closed has nobody to say it to."""
    with suppress(OSError):
        click.echo(sentence, err=True)


def print_json(document: object) -> None:
    """Print one JSON document; dates are ISO, bytes are whole numbers, unknown is null."""
    click.echo(json.dumps(document, default=str, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, as_json: bool, empty: str) -> None:
    """Print rows under these columns (their keys), or the same rows as a JSON list; `empty` is the sentence when there is none."""
    if as_json:
        print_json([{column: row.get(column) for column in columns} for row in rows])
    elif not rows:
        click.echo(empty)
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, column in enumerate(columns):
            numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
            # The first column is the name for the next command: it stays whole unless it would leave the others no room.
            stays_whole = number == 0 and all(len(cell(row.get(column))) <= _LONGEST_NAME for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=stays_whole)
        for row in rows:
            table.add_row(*(Text(cell(row.get(column))) for column in columns))
        console().print(table)


def cell(value: object) -> str:
    """One value as people read it; unknown is a dash, control characters of hostile names are shown and not sent to the terminal.

    Instants stay in the time zone in which the store gives them, which is that of the days beside them.
    """
    if value is None:
        return "–"
    text = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def yes_or_no(value: bool) -> str:
    """A fact for people; in JSON it is true or false."""
    return "yes" if value else "no"


def format_bytes(size: int | None) -> str:
    """A size for people: 1.5 GiB. Exact bytes are in --json."""
    return "–" if size is None else round_size(size)


def leave(exit_code: int) -> NoReturn:
    """End the command with this exit code."""
    raise SystemExit(exit_code)


def format_duration(started_at: datetime | None, completed_at: datetime | None) -> str | None:
    """Seconds from one instant to the other; None while there is no end."""
    return f"{(completed_at - started_at).total_seconds():.1f}" if started_at and completed_at else None
