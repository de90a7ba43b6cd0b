"""Filters that many lists share, as parameters of a query. Repeated parameters mean any of the values."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Path, Query

from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.services import ServicesOf
from whalefall_pipelines.domain.days import parse_since
from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.domain.instances import Engine, find_engine

LARGEST_ID = 2**31 - 1
# PostgreSQL's text holds no NUL character.
TEXT = r"^[^\x00]+$"
InstanceId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The server.")]
DatabaseName = Annotated[str | None, Query(max_length=512, pattern=TEXT, description="Only the database with exactly this name.")]
_Id = Annotated[int, Query(ge=1, le=LARGEST_ID)]
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
MOST_DAYS = 400


async def _fleet(
    instance_id: Annotated[list[_Id] | None, Query(description="Only this server. Can be repeated.")] = None,
    engine: Annotated[list[str] | None, Query(description=f"Only servers of this engine: {', '.join(Engine)}. Can be repeated.")] = None,
    tag: Annotated[str | None, Query(max_length=500, pattern=TEXT, description="Only servers with this tag: KEY or KEY=VALUE.")] = None,
    zone: Annotated[str | None, Query(max_length=200, pattern=TEXT, description="Only servers of this zone, or of the centre.")] = None,
) -> FleetFilter:
    engines = [(name, find_engine(name)) for name in engine or ()]
    if unknown := [name for name, known in engines if known is None]:
        raise Refusal(400, "VALIDATION_ERROR", f"There is no engine {unknown[0]!r}; the engines are {', '.join(Engine)}.")
    chosen = tuple(known for _, known in engines if known)
    return FleetFilter(tuple(instance_id or ()), chosen, read_tag(tag), zone)


def read_tag(text: str | None) -> tuple[str, str | None] | None:
    """A tag of a query, without a value if any one counts; None without a query.

    Raises:
        Refusal: it has no key.
    """
    if text is None:
        return None
    key, equals, value = text.partition("=")
    if not key:
        raise Refusal(400, "VALIDATION_ERROR", "tag must be KEY or KEY=VALUE.")
    return key, value if equals else None


async def _days(
    start_date: Annotated[date | None, Query(description="The first day, as YYYY-MM-DD.")] = None,
    end_date: Annotated[date | None, Query(description="The last day, inclusive.")] = None,
) -> Days:
    return _checked(start_date, end_date)


async def _window(
    services: ServicesOf,
    start_date: Annotated[date | None, Query(description="The first day, as YYYY-MM-DD.")] = None,
    end_date: Annotated[date | None, Query(description="The last day, inclusive; today by default.")] = None,
    time_range: Annotated[
        int | None, Query(ge=1, le=MOST_DAYS, description="The number of days until the last one; excludes start_date.")
    ] = None,
) -> Days:
    if time_range is not None and start_date is not None:
        raise Refusal(400, "VALIDATION_ERROR", "Use either time_range or start_date, not both.")
    days = _checked(start_date, end_date)
    last_day = days.last_day or services.today()
    first_day = start_date or last_day - timedelta(days=(time_range or 30) - 1)
    if first_day > last_day:
        raise Refusal(400, "VALIDATION_ERROR", f"start_date {first_day} is after the last day {last_day}.")
    if (last_day - first_day).days >= MOST_DAYS:
        raise Refusal(400, "VALIDATION_ERROR", f"A request can cover at most {MOST_DAYS} days. Change start_date or end_date.")
    return Days(first_day, last_day)


async def _since(
    since: Annotated[
        str,
        Query(pattern=r"^([0-9]{1,4}d|[0-9]{4}-[0-9]{2}-[0-9]{2})$", description="The first day, or days before the newest one: 30d."),
    ] = "30d",
) -> date | timedelta:
    parsed = parse_since(since)
    if parsed is None or (isinstance(parsed, date) and parsed < _FIRST_DAY):
        raise Refusal(400, "VALIDATION_ERROR", f"since {since} must be a day from {_FIRST_DAY} on, or a number of days like 30d.")
    return parsed


def _checked(start_date: date | None, end_date: date | None) -> Days:
    for name, day in (("start_date", start_date), ("end_date", end_date)):
        if day is not None and not _FIRST_DAY <= day <= _LAST_DAY:
            raise Refusal(400, "VALIDATION_ERROR", f"{name} must be between {_FIRST_DAY} and {_LAST_DAY}.")
    if start_date and end_date and start_date > end_date:
        raise Refusal(400, "VALIDATION_ERROR", "start_date is after end_date.")
    return Days(start_date, end_date)


SinceOf = Annotated[date | timedelta, Depends(_since)]
FleetOf = Annotated[FleetFilter, Depends(_fleet)]
DaysOf = Annotated[Days, Depends(_days)]
WindowOf = Annotated[Days, Depends(_window)]
