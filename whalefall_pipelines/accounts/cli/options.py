"""Options and output that the commands of accounts share: the day, lists, and the notes about what is not known."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import click

from whalefall_pipelines.accounts.figures import GapRow
from whalefall_pipelines.accounts.read_accounts import Bounds
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import Form, cell, note, print_csv, print_table

as_of_option = click.option(
    "--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Answer for this past day instead of today."
)
instance_option = click.option(
    "--instance", "names", multiple=True, metavar="NAME", shell_complete=complete_instance, help="Only this instance. Can be repeated."
)


def day_of(database: Database, as_of: datetime | None) -> date:
    """The day that is asked for."""
    return as_of.date() if as_of else today(system_clock(), database.timezone)


def print_list(columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, form: Form, empty: str) -> None:
    """Print rows as `print_table` does. In CSV, a spreadsheet does not take a hostile name for a formula."""
    shown = [{name: _no_formula(value) for name, value in row.items()} for row in rows] if form is Form.CSV else rows
    print_table(columns, shown, form=form, empty=empty)


def print_rows(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Print CSV as `print_list` does, row by row as they come, so that a fleet never stands in memory at once."""
    print_csv(columns, ({name: _no_formula(value) for name, value in row.items()} for row in rows))


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def note_observations(unobserved: Iterable[Bounds], day: date) -> None:
    """Say for each instance that was not observed on this day what bounds the answer."""
    for bounds in unobserved:
        if bounds.observed_before is None:
            note(f"{cell(bounds.instance_name)} was not observed on {day} or before; its first observation is on {bounds.observed_after}.")
        else:
            until = f" The next observation is on {bounds.observed_after}." if bounds.observed_after else ""
            note(f"{cell(bounds.instance_name)} was not observed on {day}; this is what was known on {bounds.observed_before}.{until}")


def note_gaps(gaps: Sequence[GapRow]) -> None:
    """Say what is unknown, and what cures it."""
    for gap in gaps:
        cure = f" To read it, run on that server: {cell(gap.cure)}" if gap.cure else ""
        note(f"unknown: {cell(gap.instance_name)}, {cell(gap.what)} ({gap.reason}): {cell(gap.detail)}.{cure}")
