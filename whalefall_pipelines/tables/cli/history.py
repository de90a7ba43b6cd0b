"""`whalefall tables history`: the days of one table."""

from dataclasses import asdict
from itertools import pairwise

import click

from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.tables.ask import history_of, split_table_target
from whalefall_pipelines.tables.model import TableDay
from whalefall_pipelines.terminal.output import Form, format_bytes, list_options, print_table

_EXACT = ("stat_date", "total_bytes", "data_bytes", "index_bytes", "lob_bytes", "row_estimate", "method", "reason", "is_below_limit")


@click.command()
@click.argument("target", metavar="INSTANCE/DATABASE.SCHEMA.TABLE")
@list_options
def history(*, target: str, form: Form) -> None:
    """Show the size of a table on each day on which it was read. On MySQL write INSTANCE/DATABASE.TABLE."""
    with open_store(load_settings()) as database:
        instance, named = split_table_target(database, target)
        _, days = history_of(database, instance, named)
    if form.is_exact:
        print_table(_EXACT, [asdict(day) for day in days], form=form)
        return
    changes = [None, *(_change(before, day) for before, day in pairwise(days))]
    rows = [
        {"day": day.stat_date, "size": format_bytes(day.total_bytes), "change": format_bytes(change), "reason": _reason(day)}
        for day, change in zip(days, changes, strict=True)
    ]
    print_table(("day", "size", "change", "reason"), rows)


def _change(before: TableDay, day: TableDay) -> int | None:
    return None if before.total_bytes is None or day.total_bytes is None else day.total_bytes - before.total_bytes


def _reason(day: TableDay) -> str | None:
    if day.reason or day.total_bytes is not None:
        return day.reason
    return "one of the smaller tables, or gone" if day.is_below_limit else "gone"
