"""`whalefall history`: the days of a server or a database."""

from datetime import date, timedelta

import click

from whalefall_pipelines.capacity.answers import HistoryDay, changes, sparkline
from whalefall_pipelines.capacity.cli.since import since_option
from whalefall_pipelines.capacity.coverage import LEGEND
from whalefall_pipelines.capacity.questions import HISTORY
from whalefall_pipelines.inventory.cli.completion import complete_series
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.terminal.output import Form, cell, format_bytes, list_options, print_table

_COLUMNS = ("stat_date", "total_bytes", "change_bytes", "state", "reasons")


@click.command(cls=Asking)
@click.argument("name", metavar="NAME[/DATABASE]", shell_complete=complete_series)
@since_option
@click.option("--limit", type=click.IntRange(1, 10_000), help="Show only this many of the newest days.")
@list_options
def history(*, name: str, since: date | timedelta, limit: int | None, form: Form) -> None:
    """Show the size of a server or a database on each day.

    A renamed database keeps its history. A missing day has a reason and no size. If only some databases of a server are missing, the size
    is the sum of the others.
    """
    with open_source() as source:
        answer = source.ask(HISTORY, name=name, since=since)
    days = answer.rows[-limit:] if limit else answer.rows
    rows = [_row(day, change, is_exact=form.is_exact) for day, change in zip(days, changes(answer.rows)[-len(days) :], strict=True)]
    if form.is_exact:
        print_table(_COLUMNS, rows, form=form)
        return
    if days:
        click.echo(f"{cell(name)}  {sparkline(days)}  {days[0].stat_date} to {days[-1].stat_date}")
        if not all(day.is_complete for day in days):
            click.echo(f"{LEGEND}")
        click.echo()
    print_table(("day", "size", "change", "state", "reason"), rows, empty=f"No size of {cell(name)} was expected on these days.")


def _row(day: HistoryDay, change: int | None, *, is_exact: bool) -> dict[str, object]:
    if is_exact:
        values = (day.stat_date, day.total_bytes, change, day.state, list(day.reasons))
        return dict(zip(_COLUMNS, values, strict=True))
    return {
        "day": day.stat_date,
        "size": format_bytes(day.total_bytes),
        "change": format_bytes(change),
        "state": day.state,
        "reason": ", ".join(day.reasons),
    }
