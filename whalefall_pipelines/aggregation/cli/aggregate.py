"""`whalefall aggregate`: compute periods from their days, without Dagster."""

from datetime import date, datetime
from uuid import uuid4

import click

from whalefall_pipelines.aggregation.aggregate import aggregate_sizes
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import Period, PeriodType, floor, periods_between
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.cli.sessions import print_session
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.show_sessions import show_session
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import json_option, print_json
from whalefall_pipelines.terminal.progress import error_console

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option(
    "--period",
    "period_type",
    type=click.Choice([str(period_type) for period_type in PeriodType]),
    required=True,
    help="Type of the periods.",
)
@click.option("--start", type=_DAY, required=True, help="First day of the first period: 2026-10-01 is October, or the fourth quarter.")
@click.option("--end", type=_DAY, help="First day of the last period; by default, only the first period is computed.")
@click.option("--through", "end", type=_DAY, hidden=True)
@json_option
def aggregate(period_type: str, start: datetime, end: datetime | None, *, as_json: bool) -> None:
    """Compute periods of the whole fleet from daily sizes. It is safe to repeat: correct rows are not written again."""
    settings = load_settings()
    periods = _periods(PeriodType(period_type), start.date(), (end or start).date())
    with open_store(settings) as database:
        day = today(system_clock(), database.timezone)
        last_day = max(periods[0].start, min(periods[-1].end, day))
        plan = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, periods[0].start, last_day)
        with sync_session(database, plan, []), error_console().status("Computing …"):
            written = aggregate_sizes(database, periods, day, plan.session_id)
        session, records = show_session(database, plan.session_id)
    if as_json:
        print_json({"session_id": session.session_id, "periods": [period.start for period in periods], "rows_written": written})
    else:
        print_session(session, records)
        click.echo(f"\n{period_type} periods: {len(periods)}, rows written: {written}")


def _periods(period_type: PeriodType, start: date, end: date) -> tuple[Period, ...]:
    for day in (start, end):
        if floor(period_type, day) != day:
            raise InputError(f"No {period_type} period starts on {day}; the period that contains it starts on {floor(period_type, day)}.")
    if end < start:
        raise InputError(f"--end {end} is before --start {start}.")
    return periods_between(period_type, start, end)
