"""Which past days can be asked to be recovered or estimated. The run itself is that of every collection."""

from datetime import date

from whalefall_pipelines.domain.runs import Run, collection
from whalefall_pipelines.errors import InputError


def plan_backfill(first_day: date, last_day: date, *, today: date, calendar_start: date) -> Run:
    """The run that recovers or estimates what is missing on these days (inclusive).

    Raises:
        InputError: a day is not over, is before the calendar of Dagster, or the days are in the wrong order.
    """
    if first_day > last_day:
        raise InputError(f"The first day {first_day} is after the last day {last_day}.")
    if last_day >= today:
        raise InputError(f"{last_day} is not over, so the next collection measures it. Choose days before {today}.")
    if first_day < calendar_start:
        raise InputError(
            f"{first_day} is before {calendar_start}, where Dagster's calendar begins. WHALEFALL_START_DATE sets an earlier start."
        )
    return collection(first_day, last_day)
