"""Writes and reads the tables of databases. A size has one row as long as it does not change, within its month."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableSize, TableSizes
from whalefall_pipelines.errors import StoreError
from whalefall_pipelines.sessions.retries import NEEDS_A_PERSON, Unrepaired
from whalefall_pipelines.store.copy_text import Lines, number, text
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import as_model, fetch_as, fetch_rows
from whalefall_pipelines.tables.model import (
    ChosenDatabase,
    Missing,
    Observation,
    RankedTable,
    Reading,
    Rules,
    StoredTable,
    TableDay,
    TableName,
    TablesCoverage,
    Wanted,
    digest,
)


def write_tables(cursor: Cursor, instance_id: int, reading: Reading) -> None:
    """Write what was read of a database on a day, or why nothing was; sizes that did not change are not written again.

    Raises:
        StoreError: a later day is stored already, so that the clock of this machine is wrong, or was.
    """
    outcome, day = reading.outcome, reading.day
    keys: dict[str, object] = {"instance_id": instance_id, "database_name": outcome.database_name}
    cursor.execute(queries.load("tables/lock_database"), keys)
    newest = find_observation(cursor, instance_id, outcome.database_name)
    if newest and newest.stat_date > day:
        sentence = f"The tables of {outcome.database_name!r} are stored for {newest.stat_date}, which is after {day}"
        raise StoreError(f"{sentence}: check the clock of this machine.")
    sizes_digest = digest(outcome) if isinstance(outcome, TableSizes) else None
    if isinstance(outcome, TableSizes):
        _write_sizes(cursor, keys, day, outcome, sizes_digest)
    session_id = str(reading.session_id) if reading.session_id else None
    observed = {"day": day, "collected_at": reading.collected_at, "session_id": session_id}
    cursor.execute(queries.load("tables/upsert_observation"), {**keys, **observed, **_observed(outcome), "sizes_digest": sizes_digest})


def find_observation(cursor: Cursor, instance_id: int, database_name: str, *, before_day: date | None = None) -> Observation | None:
    """The newest observation of a database; with `before_day` the newest one with sizes before that day."""
    values = {"instance_id": instance_id, "database_name": database_name, "before_day": before_day}
    cursor.execute(queries.load("tables/find_observation"), values)
    return next(iter(fetch_as(cursor, Observation)), None)


def list_tables(
    cursor: Cursor, instance_id: int, database_name: str, days: tuple[date, date | None], wanted: Wanted
) -> tuple[StoredTable, ...]:
    """The largest tables of an observed day, with their sizes on an observed day before, if there is one."""
    day, before_day = days
    cursor.execute(
        queries.load("tables/list_tables"),
        {
            "instance_id": instance_id,
            "database_name": database_name,
            "day": day,
            "month_start": _month_start(day),
            "before_day": before_day,
            "before_month_start": _month_start(before_day) if before_day else None,
            **asdict(wanted),
        },
    )
    return fetch_as(cursor, StoredTable)


def find_tables(cursor: Cursor, instance_id: int, named: str) -> tuple[TableName, ...]:
    """The stored tables that a text names, as database.schema.table; several where names hold dots."""
    cursor.execute(queries.load("tables/find_tables"), {"instance_id": instance_id, "named": named})
    return fetch_as(cursor, TableName)


def list_history(cursor: Cursor, instance_id: int, table: TableName) -> tuple[TableDay, ...]:
    """The days of one table, oldest first."""
    cursor.execute(queries.load("tables/list_history"), {"instance_id": instance_id, **asdict(table)})
    return fetch_as(cursor, TableDay)


def _write_sizes(cursor: Cursor, keys: dict[str, object], day: date, sizes: TableSizes, sizes_digest: str | None) -> None:
    values = {**keys, "day": day, "month_start": _month_start(day)}
    cursor.execute(queries.load("tables/find_current_digest"), values)
    if cursor.fetchone() == (sizes_digest,):
        return
    cursor.execute(queries.load("tables/create_staging"))
    cursor.copy_from(Lines(map(_line, sizes.tables)), "staged_tables", size=1 << 20)
    cursor.execute(queries.load("tables/delete_gone"), values)
    cursor.execute(queries.load("tables/close_sizes"), values)
    cursor.execute(queries.load("tables/insert_sizes"), values)


def _observed(outcome: TableSizes | MissingSize) -> dict[str, object]:
    if isinstance(outcome, MissingSize):
        unknown = dict.fromkeys(("total_bytes", "row_count", "smaller_tables", "smaller_partitions"))
        return {**unknown, "missing": "[]", "reason": outcome.reason, "detail": outcome.detail}
    return {
        "total_bytes": outcome.total_bytes,
        "row_count": len(outcome.tables),
        "smaller_tables": outcome.smaller_tables,
        "smaller_partitions": outcome.smaller_partitions,
        "missing": json.dumps([asdict(table) for table in outcome.missing]),
        "reason": None,
        "detail": None,
    }


def _line(table: TableSize) -> str:
    return "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n" % (  # noqa: UP031 - an f-string formats each enum member by a slow call
        text(table.schema_name),
        text(table.table_name),
        text(table.partition_name),
        table.kind,
        table.total_bytes,
        number(table.data_bytes),
        number(table.index_bytes),
        number(table.lob_bytes),
        number(table.row_estimate),
        table.method,
    )


def _month_start(day: date) -> date:
    return Month(day.year, day.month).first_day


def list_chosen_databases(cursor: Cursor, day: date, rules: Rules, instance_names: Sequence[str]) -> tuple[ChosenDatabase, ...]:
    """The databases that a rule names on this day."""
    cursor.execute(queries.load("tables/list_chosen_databases"), {"day": day, "instance_names": list(instance_names), **asdict(rules)})
    return fetch_as(cursor, ChosenDatabase)


def expect_databases(cursor: Cursor, names: Mapping[int, Sequence[str]], day: date, collected_at: datetime, session_id: UUID) -> None:
    """Write that these databases, by the id of their instance, are to be read on a day; what was read on it before stays."""
    pairs = [(instance_id, name) for instance_id, databases in names.items() for name in databases]
    values = {
        "instance_ids": [instance_id for instance_id, _ in pairs],
        "database_names": [name for _, name in pairs],
        "day": day,
        "collected_at": collected_at,
        "reason": Reason.NOT_COLLECTED,
        "detail": "the run ended before it read this database",
        "session_id": str(session_id),
    }
    cursor.execute(queries.load("tables/expect_databases"), values)


def list_coverage(cursor: Cursor, first_day: date, last_day: date) -> tuple[TablesCoverage, ...]:
    """How many databases of each instance were to be read on these days (inclusive), and how many were."""
    cursor.execute(queries.load("tables/list_coverage"), {"first_day": first_day, "last_day": last_day})
    return fetch_as(cursor, TablesCoverage)


def rank_tables(cursor: Cursor, day: date, most: int) -> tuple[RankedTable, ...]:
    """The rankings of a day over all databases that were read on it."""
    cursor.execute(queries.load("tables/rank_tables"), {"day": day, "most": most})
    return fetch_as(cursor, RankedTable)


def list_missing(cursor: Cursor, day: date) -> tuple[Missing, ...]:
    """What was asked for on a day and has no size, with its reason."""
    cursor.execute(queries.load("tables/list_missing"), {"day": day})
    return fetch_as(cursor, Missing)


def list_unrepaired(cursor: Cursor, day: date) -> tuple[Unrepaired, ...]:
    """Servers with databases that could not be read on a day and may be on a retry, by the session that probed them last."""
    cursor.execute(queries.load("tables/list_unrepaired"), {"day": day, "needs_a_person": sorted(NEEDS_A_PERSON)})
    return tuple(as_model(row, Unrepaired, day=day, ended_at=row.pop("completed_at")) for row in fetch_rows(cursor))
