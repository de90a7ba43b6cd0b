"""`whalefall retention` as people and programs use it, beside a Dagster database that Dagster has not used yet."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import document, refused, succeed
from whalefall_pipelines_tests.cli.terminals import at_a_terminal
from whalefall_pipelines_tests.factories import query

_numbers = itertools.count()


@pytest.fixture
def environment(store: Database, store_environment: dict[str, str], postgres_server: PostgresCluster) -> Iterator[dict[str, str]]:
    """A store with an old session, and the database where Dagster will be."""
    name = f"dagster_of_retention_{next(_numbers)}"
    administer(postgres_server, f"create database {name}")
    query(
        store,
        "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at) "
        "values (gen_random_uuid(), 'aggregation', 'scheduled_task', '2020-01-01', '2020-01-01', '2020-01-01') returning 1",
    )
    query(store, "update sync_sessions set status = 'completed', completed_at = now() returning 1")
    yield store_environment | {"WHALEFALL_DAGSTER_DATABASE_URL": postgres_server.url(name)}
    administer(postgres_server, f"drop database {name} with (force)")


def sessions(store: Database) -> int:
    return int(str(query(store, "select count(*) from sync_sessions")[0][0]))


def test_what_is_planned_is_shown_confirmed_and_deleted(store: Database, environment: dict[str, str]) -> None:
    expected = {"gaps": 0, "accounts": 0, "records": 0, "sessions": 1, "requests": 0, "tokens": 0, "dagster events": 0}
    assert {row["what"]: row["rows"] for row in document(environment, "retention", "plan")} == expected
    assert {row["what"]: row["rows"] for row in document(environment, "retention", "expire", "--dry-run")} == expected
    longest = document(environment | {"WHALEFALL_SESSION_RETENTION_DAYS": "36500"}, "retention", "plan")
    assert [row["rows"] for row in longest] == [0] * 7
    assert "--yes" in refused(environment, "retention", "expire", "--json")
    assert sessions(store) == 1
    assert {row["what"]: row["rows"] for row in document(environment, "retention", "expire", "--yes")} == expected
    assert sessions(store) == 0
    assert "sessions" in succeed(environment, "retention", "expire")  # nothing is left, so there is no question


@pytest.mark.process
def test_a_person_is_shown_the_plan_and_asked(store: Database, environment: dict[str, str], tmp_path: Path) -> None:
    code, shown = at_a_terminal(environment, tmp_path, "retention", "expire", typed="n\n")
    assert (code, "Nothing was changed" in shown, sessions(store)) == (2, True, 1), shown
    code, shown = at_a_terminal(environment, tmp_path, "retention", "expire", typed="y\n")
    assert (code, "Delete 1 row?" in shown, sessions(store)) == (0, True, 0), shown


def test_the_footprint_is_every_kind_in_bytes(store: Database, environment: dict[str, str]) -> None:
    shown = {row["kind"]: row["total_bytes"] for row in document(environment, "retention", "footprint")}
    assert set(shown) == {"gaps", "other", "requests", "sessions", "dagster"}  # no month has been made
    assert (
        sum(size for kind, size in shown.items() if kind != "dagster") == query(store, "select pg_database_size(current_database())")[0][0]
    )
    assert "MB" in succeed(environment, "retention", "footprint")


@pytest.mark.parametrize("name", ["SESSION_RETENTION_DAYS", "EVENT_RETENTION_DAYS", "ACCOUNT_RETENTION_DAYS"])
def test_a_retention_that_would_cost_what_is_needed_is_refused(environment: dict[str, str], name: str) -> None:
    assert f"WHALEFALL_{name} is '6'" in refused(environment | {f"WHALEFALL_{name}": "6"}, "retention", "plan")
