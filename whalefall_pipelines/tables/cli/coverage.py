"""`whalefall tables coverage`: on which days the tables of each instance were read."""

from dataclasses import asdict, fields

import click

from whalefall_pipelines.capacity.cli.coverage import print_calendar
from whalefall_pipelines.capacity.coverage import days_until
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.tables.collect_day import read_coverage
from whalefall_pipelines.tables.model import TablesCoverage
from whalefall_pipelines.terminal.output import Form, list_options, print_table

_EXACT = (*(field.name for field in fields(TablesCoverage)), "state")
_EMPTY = "No tables were due to be read on these days: no rule selects a database (WHALEFALL_TABLES_TAG), or there was no Monday."


@click.command()
@click.option("--days", "count", type=click.IntRange(1, 3660), default=30, show_default=True, help="The number of days, up to today.")
@list_options
def coverage(*, count: int, form: Form) -> None:
    """Show a calendar of the days on which tables were due to be read.

    A day is partly missing if a database or a table of it has no size.
    """
    with open_store(load_settings()) as database:
        days = days_until(today(system_clock(), database.timezone), count)
        rows = read_coverage(database, days[0], days[-1])
    if form.is_exact:
        print_table(_EXACT, [{**asdict(row), "state": row.state} for row in rows], form=form)
    else:
        print_calendar(rows, days, _EMPTY)
