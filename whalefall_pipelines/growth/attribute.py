"""Explains the growth between two days. Nothing is written."""

from dataclasses import dataclass
from datetime import date, timedelta

from whalefall_pipelines.capacity.ask import span
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.growth import store
from whalefall_pipelines.growth.guesses import Guess, guess_of_copy, guess_of_pair, pair_comings, possible_copies
from whalefall_pipelines.growth.model import Attribution, total_bars
from whalefall_pipelines.growth.prices import Prices
from whalefall_pipelines.store.database import Database

TABLES_OF_A_DATABASE = 5


@dataclass(frozen=True, slots=True)
class Grouping:
    """What the bars are of: each `database`, each `instance`, or each value of a `tag` with this key."""

    by: str
    tag: str | None = None


def parse_grouping(text: str) -> Grouping:
    """The grouping that a text names: `database`, `instance`, or `tag:KEY`.

    Raises:
        InputError: it names none.
    """
    kind, _, tag = text.partition(":")
    if text not in {"database", "instance"} and not (kind == "tag" and tag):
        raise InputError(f"--by is {text!r}; write database, instance, or tag: and the key of a tag, like tag:env.")
    return Grouping(kind, tag or None)


@dataclass(frozen=True, slots=True)
class Within:
    """The instances that are compared: the one of a name, or those with a value of a tag, which is None for those without the tag."""

    instance_name: str | None = None
    tag: tuple[str, str | None] | None = None


def parse_within(text: str) -> Within:
    """The instances that a text names: `instance:NAME`, `tag:KEY=VALUE`, or `tag:KEY` for those without the tag.

    Raises:
        InputError: it names none.
    """
    kind, _, name = text.partition(":")
    if kind == "instance" and name:
        return Within(instance_name=name)
    key, equals, value = name.partition("=")
    if kind == "tag" and key:
        return Within(tag=(key, value if equals else None))
    raise InputError(f"--within is {text!r}; write instance: and a name, like instance:orders, or tag: and a tag, like tag:env=prod.")


def attribute_span(
    database: Database,
    today: date,
    since: date | timedelta,
    grouping: Grouping,
    *,
    most: int,
    with_tables: bool,
    prices: Prices | None,
    within: Within | None = None,
) -> Attribution:
    """Why the fleet is larger or smaller on the newest day that has sizes than on the day `since`.

    Raises:
        NotFoundError: nothing was measured yet, or no instance is within.
        InputError: that day is not before the newest one.
    """
    first_day, last_day = span(database, today, since)
    return attribute(database, first_day, last_day, grouping, most=most, with_tables=with_tables, prices=prices, within=within)


def attribute(
    database: Database,
    first_day: date,
    last_day: date,
    grouping: Grouping,
    *,
    most: int,
    with_tables: bool = False,
    prices: Prices | None = None,
    within: Within | None = None,
) -> Attribution:
    """Why the fleet is larger or smaller on the last day than on the first; the databases that changed the most are listed.

    Raises:
        NotFoundError: no instance is within.
    """
    compared = store.Span(first_day, last_day, _instances(database, within))
    by = "fleet" if grouping.by == "database" else grouping.by
    listed = most if by == "fleet" or with_tables else 0
    sums, databases = store.explain_growth(database, compared, by, grouping.tag, most=listed)
    first_bytes, last_bytes = store.sum_days(database, compared)
    return Attribution(
        first_day,
        last_day,
        first_bytes,
        last_bytes,
        bars=total_bars(sums),
        groups=() if by == "fleet" else sums,
        databases=databases,
        guesses=_guess(database, compared),
        tables=store.list_table_changes(database, databases, compared, most=TABLES_OF_A_DATABASE) if with_tables else (),
        costs=store.list_costs(database, compared, by, grouping.tag, prices) if prices else (),
    )


def _instances(database: Database, within: Within | None) -> tuple[int, ...] | None:
    if within is None:
        return None
    instance_ids = store.find_instances(database, within.instance_name, within.tag)
    if not instance_ids:
        raise NotFoundError("No server has this name or this tag; `whalefall instances list` shows names and tags.")
    return instance_ids


def _guess(database: Database, compared: store.Span) -> tuple[Guess, ...]:
    """What was probably renamed, moved or copied. Where only some instances are compared, what moved away from them is gone."""
    comings = store.list_comings_and_goings(database, compared)
    pairs = pair_comings(comings)
    births = possible_copies(comings, pairs)
    copies = [guess_of_copy(births[source.place], source) for source in store.list_sources(database, births, compared.last_day)]
    return (*(guess_of_pair(*pair) for pair in pairs), *copies)
