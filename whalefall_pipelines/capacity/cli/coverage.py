"""`whalefall coverage`: which days of each instance are known, and from which source."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import date

import click

from whalefall_pipelines.capacity.coverage import LEGEND, Coverage, InstanceDay, coverage_calendar, days_until
from whalefall_pipelines.capacity.questions import COVERAGE
from whalefall_pipelines.inventory.cli.selection import selection_options
from whalefall_pipelines.inventory.questions import INSTANCES
from whalefall_pipelines.inventory.selection import Selection
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.terminal.output import Form, cell, list_options, print_table

_EXACT = (*(field.name for field in fields(Coverage)), "state")


@click.command(cls=Asking)
@click.option("--days", "count", type=click.IntRange(1, 3660), default=30, show_default=True, help="The number of days, up to today.")
@selection_options
@list_options
def coverage(count: int, *, selection: Selection, form: Form) -> None:
    """Show a calendar of the last days."""
    with open_source() as source:
        days = days_until(source.today(), count)
        rows = source.ask(COVERAGE, start_date=days[0], end_date=days[-1])
        instances = source.ask(INSTANCES) if selection else ()
    selected = {instance.name for instance in instances if selection.fits(instance.engine, instance.tags, instance.zone)}
    rows = [row for row in rows if not selection or row.instance_name in selected]
    rows.sort(key=lambda row: (row.instance_name, row.stat_date))  # a server elsewhere lists the newest day first
    if form.is_exact:
        print_table(_EXACT, [_row(row) for row in rows], form=form)
        return
    print_calendar(rows, days, "No sizes were expected on these days. Start with `whalefall instances add` and `whalefall collect`.")


def print_calendar(rows: Iterable[InstanceDay], days: Sequence[date], empty: str) -> None:
    """Print one line of signs for each instance, or the sentence `empty`."""
    calendar = coverage_calendar(rows, days)
    if not calendar:
        click.echo(empty)
        return
    width = max(len(cell(row.instance_name)) for row in calendar)
    click.echo(f"{days[0]} to {days[-1]}; {LEGEND}")
    for row in calendar:
        click.echo(f"{cell(row.instance_name):<{width}}  {row.signs}")


def _row(instance_day: Coverage) -> dict[str, object]:
    return {**asdict(instance_day), "state": instance_day.state}
