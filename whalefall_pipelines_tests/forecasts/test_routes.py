"""The routes of forecasts, asked over HTTP and by `whalefall --server`: what they list is what the store has."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.client import Client
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.conftest import TIMEZONE, cloned_store
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.forecasts.scene import build_scene

TODAY = today(system_clock(), TIMEZONE)
EARLIER = TODAY - timedelta(days=1)
HORIZONS = (7, 30, 90)


@pytest.fixture(scope="module")
def reading(postgres_server: PostgresCluster, store_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Forecasts of two days of two servers with ten databases, of which one server has a limit."""
    with cloned_store(postgres_server, store_template) as store:
        build_scene(store, servers=2, databases=10, days=260, last_day=TODAY).write(0, 259)
        ((largest,),) = query(store, "select max(total_bytes) from instance_size_stats")
        statement = "update instances set capacity_limit_bytes = 2 * %s, tags = '{\"env\": \"prod\"}' where name = 'server_0' returning 1"
        query(store, statement, largest)
        for day in (EARLIER, TODAY):
            forecast_day(store, day, day)
        with site(store, tmp_path_factory.mktemp("home")) as running:
            yield running


@pytest.fixture
def client(reading: Site) -> Iterator[Client]:
    with Client(reading.url, reading.token(Scope.READ)) as client:
        yield client


def keys(rows: Any) -> list[tuple[Any, ...]]:
    return [(row["instance_id"], row["database_id"], row["horizon_days"]) for row in rows]


def test_the_forecasts_of_a_day_are_listed_once_and_are_those_of_the_store(reading: Site, client: Client) -> None:
    rows = list(client.forecasts(limit=7))
    assert keys(rows) == sorted({(row["instance_id"], row["database_id"], ahead) for row in rows for ahead in HORIZONS})
    assert len(rows) == 3 * (2 + 10)
    statement = (
        "select made_on::text, origin, model, state, base_bytes, point_bytes, lower_80_bytes, upper_80_bytes, lower_90_bytes, "
        "upper_90_bytes, matured, error, skill from capacity_forecasts where made_on = %s "
        "order by instance_id, coalesce(database_id, 0), horizon_days"
    )
    names = ("made_on", "origin", "model", "state", "base_bytes", "point_bytes", "lower_80_bytes", "upper_80_bytes", "lower_90_bytes")
    listed = [tuple(row[name] for name in (*names, "upper_90_bytes", "matured", "error", "skill")) for row in rows]
    assert listed == query(reading.store, statement, TODAY)
    assert {(row["database_name"] is None, row["database_id"] == 0) for row in rows} == {(True, True), (False, False)}
    assert all(date.fromisoformat(row["target_date"]) - TODAY == timedelta(days=row["horizon_days"]) for row in rows)
    assert any(row["matured"] > 4 and row["error"] is not None and row["lower_80_bytes"] <= row["upper_80_bytes"] for row in rows)


def test_forecasts_are_narrowed_by_day_server_tag_and_database(client: Client) -> None:
    assert {row["made_on"] for row in client.forecasts(day=EARLIER)} == {EARLIER.isoformat()}
    assert list(client.forecasts(day=TODAY - timedelta(days=999))) == []
    assert {row["instance_name"] for row in client.forecasts(tag="env=prod")} == {"server_0"}
    assert {row["database_name"] for row in client.forecasts(database_name="db_003")} == {"db_003"}
    assert list(client.forecasts(engine="oracle")) == []
    servers = list(client.forecasts(instance_id=1))
    assert {row["instance_id"] for row in servers} == {1}


def test_runways_have_limits_intervals_states_and_errors(client: Client) -> None:
    answer = client.runway()
    (row,) = answer["rows"]
    assert answer["made_on"] == TODAY.isoformat()
    assert (row["instance_name"], row["database_name"], row["limit_kind"]) == ("server_0", None, "capacity")
    assert row["headroom_bytes"] == row["limit_bytes"] - row["used_bytes"] > 0
    assert (row["matured_30"] > 4, row["error_30"] is not None) == (True, True)
    assert len(client.runway(with_all=True, most=100)["rows"]) == 12
    assert len(client.runway(with_all=True, most=5)["rows"]) == 5


def test_scores_say_what_was_promised_and_what_came(client: Client) -> None:
    record = client.forecast_scores()
    assert {row["horizon_days"] for row in record["reliability"]} == set(HORIZONS)
    assert all(0 <= row["covered_80"] <= row["covered_90"] <= 1 for row in record["reliability"] if row["covered_80"] is not None)
    assert {row["horizon_days"] for row in record["outcomes"]} == {30, 90}
    assert all(row["error_bytes"] == row["actual_bytes"] - row["point_bytes"] for row in record["outcomes"])
    assert client.forecast_scores(days=1)["since"] == TODAY.isoformat()


def test_changes_are_those_that_became_known_since_a_day(reading: Site, client: Client) -> None:
    changes = client.get("/forecasts/changes", since="400d", most=1000)
    ((count,),) = query(reading.store, "select count(*) from capacity_changes where known_on >= %s", TODAY - timedelta(days=400))
    assert len(changes["rows"]) == count > 0
    assert client.get("/forecasts/changes", since=TODAY.isoformat())["since"] == TODAY.isoformat()


def test_a_laptop_is_told_the_same_as_the_installation(reading: Site, tmp_path: Path) -> None:
    here = {"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_DATABASE_URL": reading.store.url.render_as_string(hide_password=False)}
    laptop = {"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_SERVER": reading.url, "WHALEFALL_TOKEN": reading.token(Scope.READ)}
    for command in (
        ("runway",),
        ("runway", "--all", "--json", "--limit", "5"),
        ("forecasts", "score"),
        ("forecasts", "score", "--json", "--days", "60", "--limit", "3"),
        ("forecasts", "changes", "--since", "400d", "--csv"),
    ):
        assert succeed(laptop, *command) == succeed(here, *command), command
