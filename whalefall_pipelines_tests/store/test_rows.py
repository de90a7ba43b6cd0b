"""Rows become dataclasses by the names of their columns."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest

from whalefall_pipelines.domain.sessions import SessionStatus
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as, fetch_rows, take

ID = "8a0e1f5e-31b6-4c30-8d0e-6a1c5f4c1f10"


@dataclass(frozen=True, slots=True)
class Found:
    session_id: UUID
    retry_of: UUID | None
    status: SessionStatus
    names: tuple[str, ...]
    day: date


def select(store: Database, columns: str) -> tuple[Found, ...]:
    with store.transaction() as cursor:
        cursor.execute(f"select {columns}")
        return fetch_as(cursor, Found, day=date(2026, 11, 22))


def test_columns_may_stand_in_any_order_and_become_what_their_field_is(store: Database) -> None:
    (row,) = select(store, f"array['a', 'b'] as names, 'failed' as status, null::uuid as retry_of, '{ID}'::uuid as session_id")
    assert row == Found(UUID(ID), None, SessionStatus.FAILED, ("a", "b"), date(2026, 11, 22))
    assert isinstance(row.status, SessionStatus)


@pytest.mark.parametrize("more", ["", ", 1 as unknown"])
def test_a_column_that_is_missing_or_unknown_is_an_error_and_no_other_value(store: Database, more: str) -> None:
    columns = "array['a'] as names, 'failed' as status, null::uuid as retry_of" + (f", '{ID}'::uuid as session_id" if more else "") + more
    with pytest.raises(TypeError):
        select(store, columns)


def test_one_row_may_hold_several(store: Database) -> None:
    @dataclass(frozen=True)
    class Name:
        name: str

    with store.transaction() as cursor:
        cursor.execute("select 'a' as name, 5 as size")
        (row,) = fetch_rows(cursor)
    assert take(row, Name) == Name("a")
    assert row == {"size": 5}
