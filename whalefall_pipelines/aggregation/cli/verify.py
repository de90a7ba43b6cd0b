"""`whalefall verify`: recomputes every stored period from its days, and shows the differences."""

from datetime import date, datetime

import click

from whalefall_pipelines.aggregation.aggregate import verify as verify_periods
from whalefall_pipelines.aggregation.known_days import find_known_days
from whalefall_pipelines.aggregation.model import Difference, count_differences, first_kept_daily, how_to_compute
from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import PARTIAL, SUCCESS, json_option, leave, note, print_json, print_table
from whalefall_pipelines.terminal.progress import error_console

_DAY = click.DateTime(["%Y-%m-%d"])
# More lines than this are only counted.
_MOST = 50


@click.command()
@click.option("--from", "first", type=_DAY, help="First day; by default, the first known day.")
@click.option("--to", "last", type=_DAY, help="Last day, inclusive; by default, the last known day.")
@json_option
def verify(first: datetime | None, last: datetime | None, *, as_json: bool) -> None:
    """Compare every stored aggregation with its daily data.

    Every period that overlaps these days is recomputed from the days that are still stored. Nothing is written. The differences are
    summarized by period type and instance.

    Exit codes: 0 no differences, 1 some differences.
    """
    settings = load_settings()
    with open_store(settings) as database:
        day = today(system_clock(), database.timezone)
        known = find_known_days(database)
        if known is None and not as_json:
            note("There is nothing to verify yet. `whalefall collect` measures the first day.")
            leave(SUCCESS)
        known = known or (day, day)
        first_day = first.date() if first else known[0]
        last_day = last.date() if last else max(known[1], first_day)
        if last_day < first_day:
            raise InputError(f"--to {last_day} is before --from {first_day}.")
        with error_console().status(f"Recomputing {first_day} to {last_day} …"):
            daily_from = first_kept_daily(settings.of(KeptMonthsSettings).retention_months, day)
            differences = list(verify_periods(database, first_day, last_day, day, daily_from=daily_from))
    _print(differences, first_day, last_day, as_json=as_json)
    leave(PARTIAL if differences else SUCCESS)


def _print(differences: list[Difference], first_day: date, last_day: date, *, as_json: bool) -> None:
    if as_json:
        print_json({"first_day": first_day, "last_day": last_day, "differences": [_document(difference) for difference in differences]})
        return
    counts = count_differences(differences)
    rows = [
        {
            "period": count.period_type,
            "instance": count.instance_name,
            "first": count.first_start,
            "last": count.last_start,
            "not computed": count.not_computed,
            "wrong": count.wrong,
            "columns": ", ".join(count.columns) or None,
        }
        for count in counts[:_MOST]
    ]
    span = f"{first_day} to {last_day}"
    print_table(list(rows[0]) if rows else [], rows, empty=f"{span}: all aggregations match their daily data", droppable=("columns",))
    if rows:
        shown = f" (the first {_MOST} of {len(counts)} lines are shown)" if len(counts) > _MOST else ""
        note(f"{span}: {counted(len(differences), 'difference')}{shown}; --json lists each of them.")
        note("Dagster's daemon recomputes these periods. To do it now, run:")
        for command in how_to_compute([difference.period for difference in differences]):
            note(f"  {command}")


def _document(difference: Difference) -> dict[str, object]:
    return {
        "period": difference.period.period_type,
        "start": difference.period.start,
        "instance": difference.instance_name,
        "database": difference.database_name,
        "stored": difference.stored,
        "computed": difference.computed,
    }
