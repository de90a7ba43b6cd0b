"""`whalefall gaps`: what is missing, why, and what to do."""

from dataclasses import asdict
from datetime import timedelta

import click

from whalefall_pipelines.capacity.listing import OpenGap
from whalefall_pipelines.capacity.questions import GAPS
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.inventory.cli.selection import selection_options
from whalefall_pipelines.inventory.questions import INSTANCES
from whalefall_pipelines.inventory.selection import Selection
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.terminal.output import Form, list_options, note, print_table

_COLUMNS = ("stat_date", "instance_name", "database_name", "reason", "detail", "session_id")


@click.command(cls=Asking)
@click.option("--days", "count", type=click.IntRange(1, 400), default=30, show_default=True, help="The number of days, up to today.")
@click.option("--reason", type=click.Choice([str(reason) for reason in Reason]), metavar="REASON", help="Only gaps with this reason.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Number of rows.")
@selection_options
@list_options
def gaps(*, count: int, reason: str | None, limit: int, selection: Selection, form: Form) -> None:
    """List the sizes that are missing, newest day first, with the reason and what to do."""
    with open_source() as source:
        last_day = source.today()
        rows = source.ask(GAPS, start_date=last_day - timedelta(days=count - 1), end_date=last_day, reason=reason)
        instances = source.ask(INSTANCES) if selection else ()
    selected = {instance.name for instance in instances if selection.fits(instance.engine, instance.tags, instance.zone)}
    rows = [row for row in rows if not selection or row.instance_name in selected]
    if form.is_exact:
        print_table(_COLUMNS, [{name: asdict(row)[name] for name in _COLUMNS} for row in rows[:limit]], form=form)
        return
    shown = ("day", "instance", "database", "reason", "detail")
    print_table(shown, [_row(row) for row in rows[:limit]], empty="Nothing is missing on these days.")
    if len(rows) > limit:
        note(f"{counted(len(rows) - limit, 'more is', 'more are')} missing; --limit shows more.")


def _row(gap: OpenGap) -> dict[str, object]:
    return {
        "day": gap.stat_date,
        "instance": gap.instance_name,
        "database": gap.database_name or "(never listed)",
        "reason": gap.reason,
        "detail": gap.detail,
    }
