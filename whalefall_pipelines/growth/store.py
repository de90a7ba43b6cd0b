"""Reads the attribution of growth between two days, each part with one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.growth.guesses import Coming, Source
from whalefall_pipelines.growth.model import BarSum, Cost, DatabaseBar, TableChange
from whalefall_pipelines.growth.prices import Prices, parameters
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.rows import as_model, fetch_as


@dataclass(frozen=True, slots=True)
class Span:
    """Two days, and the instances that are compared between them; None: all."""

    first_day: date
    last_day: date
    instance_ids: tuple[int, ...] | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of a statement that compares them."""
        instance_ids = None if self.instance_ids is None else list(self.instance_ids)
        return {"first_day": self.first_day, "last_day": self.last_day, "instance_ids": instance_ids}


def find_instances(database: Database, instance_name: str | None, tag: tuple[str, str | None] | None) -> tuple[int, ...]:
    """The instances of a name or with a value of a tag (None: without the tag), also those that have left the fleet."""
    tag_name, tag_value = tag or (None, None)
    values = {"instance_name": instance_name, "tag_name": tag_name, "tag_value": tag_value}
    with database.transaction() as cursor:
        cursor.execute(queries.load("growth/find_instances"), values)
        return tuple(instance_id for (instance_id,) in cursor.fetchall())


def sum_days(database: Database, span: Span) -> tuple[int, int]:
    """The stored totals of two days."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("growth/sum_days"), span.parameters)
        (first_bytes, last_bytes) = cursor.fetchone() or (0, 0)
        return first_bytes, last_bytes


def explain_growth(
    database: Database, span: Span, by: str, tag: str | None, *, most: int
) -> tuple[tuple[BarSum, ...], tuple[DatabaseBar, ...]]:
    """The bars of them all (`fleet`), of each `instance`, or of each value of a `tag`; and the databases that changed the most."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("growth/explain_growth"), {**span.parameters, "by": by, "tag": tag, "most": most})
        (bars, databases) = cursor.fetchone() or ([], [])
    return tuple(as_model(bar, BarSum) for bar in bars), tuple(as_model(row, DatabaseBar) for row in databases)


def list_comings_and_goings(database: Database, span: Span) -> tuple[Coming, ...]:
    """The databases that are there on one of the days only."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("growth/list_comings_and_goings"), span.parameters)
        return fetch_as(cursor, Coming)


def list_sources(database: Database, births: Sequence[Coming], last_day: date) -> tuple[Source, ...]:
    """The living databases of which these births are probably copies."""
    values = {
        "instance_ids": [birth.instance_id for birth in births],
        "database_names": [birth.database_name for birth in births],
        "days": [birth.stat_date for birth in births],
        "sizes": [birth.total_bytes for birth in births],
        "last_day": last_day,
    }
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("growth/list_sources"), values)
        return fetch_as(cursor, Source)


def list_table_changes(database: Database, databases: Sequence[DatabaseBar], span: Span, *, most: int) -> tuple[TableChange, ...]:
    """The tables behind the change of these databases, at most so many of each."""
    values = {
        "instance_ids": [row.instance_id for row in databases],
        "database_names": [row.database_name for row in databases],
        "most": most,
    }
    with database.transaction() as cursor:
        cursor.execute(queries.load("growth/list_table_changes"), {**span.parameters, **values})
        return fetch_as(cursor, TableChange)


def list_costs(database: Database, span: Span, by: str, tag: str | None, prices: Prices) -> tuple[Cost, ...]:
    """What each group costs in a month at its size of the last day, and how much more than at that of the first."""
    values = {**span.parameters, "by": by, "tag": tag, **parameters(prices)}
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("growth/list_costs"), values)
        return fetch_as(cursor, Cost)
