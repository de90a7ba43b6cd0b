"""`whalefall verify`: recomputes every stored period from its days, and shows the differences."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import click

from whalefall_pipelines.aggregation.aggregate import verify as verify_periods
from whalefall_pipelines.aggregation.known_days import find_known_days
from whalefall_pipelines.aggregation.model import Difference, first_kept_daily, how_to_compute
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import PARTIAL, SUCCESS, cell, json_option, leave, note, print_json, print_table
from whalefall_pipelines.terminal.progress import error_console

_DAY = click.DateTime(["%Y-%m-%d"])
# More differences than this are only counted.
_MOST = 50
# These columns identify the row.
_WHICH = frozenset({"instance_id", "database_name", "period_type", "period_start", "period_end"})


@click.command()
@click.option("--from", "first", type=_DAY, help="The first day; by default, the first known day.")
@click.option("--to", "last", type=_DAY, help="The last day, inclusive; by default, the last known day.")
@json_option
def verify(first: datetime | None, last: datetime | None, *, as_json: bool) -> None:
    """Compare every stored aggregation with its daily data.

    Every period that overlaps these days is recomputed from the days that are still stored. Nothing is written.

    Exit codes: 0 no differences, 1 some differences.
    """
    settings = load_settings()
    with open_store(settings) as database:
        day = today(system_clock(), database.timezone)
        known = find_known_days(database)
        if known is None and not as_json:
            note("There is nothing to verify yet; `whalefall collect` measures the first day.")
            leave(SUCCESS)
        known = known or (day, day)
        first_day = first.date() if first else known[0]
        last_day = last.date() if last else max(known[1], first_day)
        if last_day < first_day:
            raise InputError(f"--to {last_day} is before --from {first_day}.")
        with error_console().status(f"Recomputing {first_day} to {last_day} …"):
            daily_from = first_kept_daily(settings.retention_months, day)
            differences = list(verify_periods(database, first_day, last_day, day, daily_from=daily_from))
    _print(differences, first_day, last_day, as_json=as_json)
    leave(PARTIAL if differences else SUCCESS)


def _print(differences: list[Difference], first_day: date, last_day: date, *, as_json: bool) -> None:
    rows = [
        {
            "period": difference.period.period_type,
            "start": difference.period.start,
            "instance": difference.instance_name,
            "database": difference.database_name,
            "stored": difference.stored if as_json else _text(difference.stored),
            "computed": difference.computed if as_json else _text(difference.computed),
        }
        for difference in differences
    ]
    if as_json:
        print_json({"first_day": first_day, "last_day": last_day, "differences": rows})
        return
    span = f"{first_day} to {last_day}"
    print_table(list(rows[0]) if rows else [], rows[:_MOST], empty=f"{span}: all aggregations match their daily data")
    if rows:
        shown = f" (the first {_MOST} are shown)" if len(rows) > _MOST else ""
        commands = how_to_compute([difference.period for difference in differences])
        note(f"{span}: {len(rows)} differences{shown}. Dagster's daemon recomputes them; to do it now, run {commands}")


def _text(values: Mapping[str, Any] | None) -> str | None:
    if values is None:
        return None
    return ", ".join(f"{name} {cell(value)}" for name, value in values.items() if name not in _WHICH)
