"""`whalefall runway`: the days until each database and server reaches its limit."""

from dataclasses import asdict, fields

import click

from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.forecasts.figures import Runway
from whalefall_pipelines.forecasts.questions import RUNWAY
from whalefall_pipelines.forecasts.wording import WHY_NO_DATE
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.terminal.output import Form, list_options, note, print_table


@click.command(cls=Asking)
@click.option("--all", "with_all", is_flag=True, help="Also show databases and servers without a limit.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Number of rows, nearest limit first.")
@list_options
def runway(*, with_all: bool, limit: int, form: Form) -> None:
    """Show how many days each database and server has until it reaches its limit. `days` is the forecast; the limit is reached within
    `10-90 %` in 8 of 10 cases. `error` is the mean error of earlier 30-day forecasts. A date is shown only if these were clearly better
    than the forecast "stays as it is".
    """
    with open_source() as source:
        answer = source.ask(RUNWAY, most=limit, with_all=with_all)
    if form.is_exact:
        print_table([field.name for field in fields(Runway)], [asdict(row) for row in answer.rows], form=form)
        return
    columns = ("instance", "database", "days", "10-90 %", "used", "limit", "error", "matured", "why no date")
    empty = (
        "No forecast has a known limit. `whalefall runway --all` also shows databases and servers without a limit; `whalefall forecasts "
        "make` makes forecasts."
    )
    print_table(columns, [_row(row) for row in answer.rows], empty=empty, droppable=("matured", "error"))
    if answer.made_on:
        note(f"Forecasts of {answer.made_on}. Rows without a database are servers.")


def _row(row: Runway) -> dict[str, object]:
    later = ">180" if row.p90_days is None else row.p90_days
    return {
        "instance": row.instance_name,
        "database": row.database_name,
        "days": row.p50_days,
        "10-90 %": None if row.p50_days is None else f"{row.p10_days} to {later}",
        "used": round_size(row.used_bytes),
        "limit": None if row.limit_bytes is None else f"{round_size(row.limit_bytes)}{' (volumes)' if row.limit_kind == 'volumes' else ''}",
        "error": None if row.error_30 is None else f"{100 * row.error_30:.1f} %",
        "matured": row.matured_30,
        "why no date": WHY_NO_DATE.get(row.state),
    }
