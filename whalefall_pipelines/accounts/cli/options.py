"""Options and output that the commands of accounts share: the day, lists as CSV, and the notes about what is not known."""

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import click

from whalefall_pipelines.accounts.figures import GapRow
from whalefall_pipelines.accounts.read_accounts import not_observed
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import cell, note, print_table

as_of_option = click.option(
    "--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Answer for this past day instead of today."
)
csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
instance_option = click.option("--instance", "names", multiple=True, metavar="NAME", help="Only this instance. Can be repeated.")


def day_of(database: Database, as_of: datetime | None) -> date:
    """The day that is asked for."""
    return as_of.date() if as_of else today(system_clock(), database.timezone)


def print_list(columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, as_json: bool, as_csv: bool, empty: str) -> None:
    """Print rows as a table, as JSON, or as CSV."""
    if not as_csv:
        print_table(columns, rows, as_json=as_json, empty=empty)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(row.get(column)) for column in columns] for row in rows)


def _plain(value: object) -> str:
    """A value of a CSV file. A spreadsheet must not take a hostile name for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def note_observations(database: Database, day: date, names: Sequence[str]) -> None:
    """Say for each instance that was not observed on this day what bounds the answer."""
    for bounds in not_observed(database, day, names):
        if bounds.observed_before is None:
            note(f"{cell(bounds.instance_name)} was not observed on {day} or before; its first observation is of {bounds.observed_after}.")
        else:
            until = f" The next observation is of {bounds.observed_after}." if bounds.observed_after else ""
            note(f"{cell(bounds.instance_name)} was not observed on {day}; this is what was known on {bounds.observed_before}.{until}")


def note_gaps(gaps: Sequence[GapRow]) -> None:
    """Say what is unknown, and what cures it."""
    for gap in gaps:
        cure = f" To read it, run on that server: {cell(gap.cure)}" if gap.cure else ""
        note(f"unknown: {cell(gap.instance_name)}, {cell(gap.what)} ({gap.reason}): {cell(gap.detail)}.{cure}")
