"""`whalefall growth`: the fastest growing databases."""

from dataclasses import asdict
from datetime import date, timedelta

import click

from whalefall_pipelines.capacity.answers import Growth
from whalefall_pipelines.capacity.ask import fastest_growth
from whalefall_pipelines.capacity.cli.since import since_option
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, format_bytes, list_options, note, print_table

_EXACT = (
    *("instance_name", "engine", "database_name", "state", "reason", "from_date", "from_bytes", "to_date", "to_bytes"),
    *("is_estimated", "change_bytes", "change_percent", "bytes_a_day"),
)


@click.command()
@since_option
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many, fastest growing first.")
@list_options
def growth(*, since: date | timedelta, limit: int, form: Form) -> None:
    """Show the fastest growing databases.

    Up to the newest day that has sizes. A database that is younger, or that has no size on one of the two days, is compared between the
    nearest days within them that have one. Without two such days its growth is unknown.
    """
    with open_store(load_settings()) as database:
        answer = fastest_growth(database, today(system_clock(), database.timezone), since, most=limit)
    if form.is_exact:
        print_table(_EXACT, [_exact(row) for row in answer.rows], form=form)
        return
    rows = [_row(row, answer.first_day) for row in answer.rows]
    columns = ("instance", "database", "growth", "percent", "size", "a day", "state", "since")
    print_table(columns, rows, empty="No database is expected.", droppable=("since", "a day", "percent", "state"))
    note(f"From {answer.first_day} to {answer.last_day}.")


def _exact(row: Growth) -> dict[str, object]:
    return {**asdict(row), "change_percent": row.change_percent, "bytes_a_day": row.bytes_a_day}


def _row(row: Growth, first_day: date) -> dict[str, object]:
    state = f"{row.state} ({row.reason})" if row.reason else row.state
    return {
        "instance": row.instance_name,
        "database": row.database_name or "(never listed)",
        "growth": format_bytes(row.change_bytes),
        "percent": None if row.change_percent is None else f"{row.change_percent} %",
        "size": format_bytes(row.to_bytes),
        "a day": format_bytes(row.bytes_a_day),
        "state": "estimated" if row.is_estimated and row.state != "missing" else state,
        "since": row.from_date if row.from_date != first_day else None,
    }
