"""Answers what people ask about sizes: what is largest, how one grew, what grows fastest. Nothing is written."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from whalefall_pipelines.capacity.answers import FleetDay, Growth, HistoryDay, LargeDatabase, LargeGroup, StackedSize
from whalefall_pipelines.capacity.disk import Disk
from whalefall_pipelines.capacity.store import answers as store
from whalefall_pipelines.capacity.store.disk import list_disk, list_volumes
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.inventory.fleet import has_database, show_instance, split_target
from whalefall_pipelines.store.database import Database

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Row]):
    """The rows of an answer and the days (inclusive) that they are of."""

    first_day: date
    last_day: date
    rows: tuple[Row, ...]


def largest_databases(database: Database, today: date, *, most: int) -> Answer[LargeDatabase]:
    """The largest databases of the newest day that has sizes.

    Raises:
        NotFoundError: nothing was measured yet.
    """
    day = newest_day(database, today)
    return Answer(day, day, store.list_largest_databases(database, day, most=most))


def largest_groups(database: Database, today: date, tag: str | None, *, most: int) -> Answer[LargeGroup]:
    """The largest instances of the newest day that has sizes, or with a `tag` the largest of its values.

    Raises:
        NotFoundError: nothing was measured yet.
    """
    day = newest_day(database, today)
    return Answer(day, day, store.list_largest_groups(database, day, tag, most=most))


def fleet_totals(database: Database, today: date, since: date | timedelta) -> Answer[FleetDay]:
    """The total of the fleet day by day, up to the newest day that has sizes. A silent server keeps its newest total.

    Raises:
        NotFoundError: nothing was measured yet.
        InputError: the first day is not before the newest one.
    """
    first_day, last_day = span(database, today, since)
    return Answer(first_day, last_day, store.list_fleet_totals(database, first_day, last_day))


def fastest_growth(database: Database, today: date, since: date | timedelta, *, most: int) -> Answer[Growth]:
    """The fastest growing databases since a day, up to the newest day that has sizes.

    Raises:
        NotFoundError: nothing was measured yet.
        InputError: that day is not before the newest one.
    """
    first_day, last_day = span(database, today, since)
    return Answer(first_day, last_day, store.list_growth(database, first_day, last_day, most=most))


def history(database: Database, today: date, name: str, since: date | timedelta) -> Answer[HistoryDay]:
    """The days of `INSTANCE` or `INSTANCE/DATABASE`, up to the newest day that has sizes.

    Raises:
        NotFoundError: nothing was measured yet, the instance is not registered, or has no such database.
        InputError: the first day is not before the newest one.
    """
    instance, database_name = split_target(database, name)
    if database_name and not has_database(database, instance.instance_id, database_name):
        raise NotFoundError(f"{instance.name} has no database {database_name!r}. `whalefall instances show {instance.name}` lists them.")
    first_day, last_day = span(database, today, since)
    if database_name:
        days = store.list_database_history(database, instance.instance_id, database_name, first_day, last_day)
    else:
        days = store.list_instance_history(database, instance.instance_id, first_day, last_day)
    return Answer(first_day, last_day, days)


def stacked_sizes(database: Database, instance_id: int, first_day: date, last_day: date, *, most: int) -> tuple[StackedSize, ...]:
    """What an instance consists of on each day (inclusive): its `most` largest databases, and the rest together."""
    return store.list_stacked_sizes(database, instance_id, first_day, last_day, most=most)


def disk(database: Database, today: date, name: str, since: date | timedelta) -> Disk:
    """What fills the disk of an instance, on the days up to the newest one that has sizes.

    Raises:
        NotFoundError: nothing was measured yet, or the instance is not registered.
        InputError: the first day is not before the newest one.
    """
    registered, _ = show_instance(database, name)
    first_day, last_day = span(database, today, since)
    parts = list_disk(database, registered.instance_id, first_day, last_day)
    measured = max((part.stat_date for part in parts), default=last_day)
    volumes = list_volumes(database, registered.instance_id, first_day, last_day)
    return Disk(first_day, measured, parts, volumes)


def newest_day(database: Database, today: date) -> date:
    """The newest day that has sizes.

    Raises:
        NotFoundError: nothing was measured yet.
    """
    day = store.find_newest_day(database, today)
    if day is None:
        raise NotFoundError("Nothing has been measured yet. `whalefall collect` measures the first day.")
    return day


def span(database: Database, today: date, since: date | timedelta) -> tuple[date, date]:
    """The days (inclusive) from `since` to the newest day that has sizes.

    Raises:
        NotFoundError: nothing was measured yet.
        InputError: the first day is not before the newest one.
    """
    last_day = newest_day(database, today)
    first_day = since if isinstance(since, date) else last_day - since
    if first_day >= last_day:
        raise InputError(f"The first day {first_day} must be before {last_day}, the newest day that has sizes.")
    return first_day, last_day
