"""`whalefall forecasts`: makes forecasts, and shows what became of them."""

from dataclasses import asdict, fields
from datetime import date, timedelta

import click

from whalefall_pipelines.capacity.cli.since import since_option
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.quantities import counted, round_size
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.forecasts.ask import SCORED_DAYS
from whalefall_pipelines.forecasts.figures import KnownChange, Outcome, Reliability
from whalefall_pipelines.forecasts.questions import CHANGES, SCORE
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, format_bytes, json_option, list_options, note, print_json, print_table


@click.group()
def forecasts() -> None:
    """Make forecasts, and show how good they were."""


@forecasts.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="Day to forecast from; today by default.")
def make(*, day: date | None) -> None:
    """Make the missing forecasts of a day, as Dagster does every morning. A database without forecasts first gets a year of them, each
    based on what was known on its day, so that its errors are known.
    """
    from whalefall_pipelines.forecasts.forecast import forecast_day  # noqa: PLC0415 - numpy: other commands need not wait for it

    with open_store(load_settings()) as database:
        now = today(system_clock(), database.timezone)
        wanted = date(day.year, day.month, day.day) if day else now
        if wanted > now:
            raise InputError(f"The sizes of {wanted} are not known: today is {now}.")
        made = forecast_day(database, wanted, now)
    counts = (
        counted(made.forecasts, "forecast was made", "forecasts were made"),
        counted(made.scores, "was scored", "were scored"),
        counted(made.changes, "change was found", "changes were found"),
    )
    note(f"{', '.join(counts)}, up to {wanted}.")


@forecasts.command(cls=Asking)
@click.option("--days", type=click.IntRange(1, 3660), default=SCORED_DAYS, show_default=True, help="Number of days to cover.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Number of largest errors to show.")
@json_option
def score(*, days: int, limit: int, as_json: bool) -> None:
    """Compare forecasts with what happened. The first table covers all series by horizon and behavior: how often the 80 % and 90 %
    intervals held, the errors, and the error relative to the forecast "stays as it is". The second table has the largest errors of the
    newest forecasts for 30 and 90 days.
    """
    with open_source() as source:
        record = source.ask(SCORE, days=days, most=limit)
    if as_json:
        print_json(asdict(record))
        return
    columns = ("horizon", "series", "scored", "80 %", "90 %", "mean error", "median error", "skill", "issued")
    print_table(columns, [_reliability_row(row) for row in record.reliability], empty="No forecast has matured yet.", droppable=("issued",))
    note(f"Forecasts for {record.since} to {record.day}. Skill: 1 is no better than the last value. Issued means not replayed later.")
    if record.outcomes:
        click.echo()
        columns = ("instance", "database", "made on", "for", "was", "forecast", "80 % from", "to", "came", "error")
        print_table(columns, [_outcome_row(row) for row in record.outcomes], droppable=("was", "80 % from", "to"))


@forecasts.command(cls=Asking)
@since_option
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Number of changes, newest first.")
@list_options
def changes(*, since: date | timedelta, limit: int, form: Form) -> None:
    """List steps, changes of slope, outliers, and databases that grow in steps. A step is confirmed three days later, a change of
    slope some weeks later.
    """
    with open_source() as source:
        rows = source.ask(CHANGES, since=since, most=limit).rows
    if form.is_exact:
        print_table([field.name for field in fields(KnownChange)], [asdict(row) for row in rows], form=form)
        return
    columns = ("instance", "database", "change", "bytes", "after", "by", "known on")
    print_table(columns, [_change_row(row) for row in rows], empty="No changes were found.", droppable=("known on",))


def _reliability_row(row: Reliability) -> dict[str, object]:
    return {
        "horizon": f"{row.horizon_days} days",
        "series": row.behaviour,
        "scored": row.scored,
        "80 %": _percent(row.covered_80, 0),
        "90 %": _percent(row.covered_90, 0),
        "mean error": _percent(row.mean_error, 2),
        "median error": _percent(row.median_error, 2),
        "skill": None if row.skill is None else f"{row.skill:.2f}",
        "issued": row.issued,
    }


def _outcome_row(row: Outcome) -> dict[str, object]:
    return {
        "instance": row.instance_name,
        "database": row.database_name,
        "made on": row.made_on,
        "for": row.target_date,
        "was": round_size(row.base_bytes),
        "forecast": round_size(row.point_bytes),
        "80 % from": None if row.lower_80_bytes is None else round_size(row.lower_80_bytes),
        "to": None if row.upper_80_bytes is None else round_size(row.upper_80_bytes),
        "came": round_size(row.actual_bytes),
        "error": format_bytes(row.error_bytes),
    }


def _change_row(row: KnownChange) -> dict[str, object]:
    a_day = " a day" if row.kind == "slope" else ""
    return {
        "instance": row.instance_name,
        "database": row.database_name,
        "change": row.kind,
        "bytes": f"{format_bytes(row.change_bytes)}{a_day}",
        "after": row.from_date,
        "by": row.to_date,
        "known on": row.known_on,
    }


def _percent(share: float | None, digits: int) -> str | None:
    return None if share is None else f"{100 * share:.{digits}f} %"
