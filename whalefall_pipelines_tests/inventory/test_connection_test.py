"""Connection tests: every server is probed, each has its own result, and only the version is stored."""

import time
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, Engine
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.fleet.probe import Deadlines, Fleet
from whalefall_pipelines.inventory.connection_test import ConnectionTest, ConnectionTester
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import NIGHT, query, register, server
from whalefall_pipelines_tests.servers.oracle.targets import unload_driver


def examine(store: Database, home: Path, fleet: Fleet, parallel: int = 8) -> dict[str, ConnectionTest]:
    secrets = SecretBox(load_settings({"WHALEFALL_HOME": str(home)}), {})
    tester = ConnectionTester(store, fleet, secrets, SYSTEM_DATABASES, parallel, clock=lambda: NIGHT)
    results = tester.test_all(active_instances(store))
    assert [result.instance.name for result in results] == [instance.name for instance in active_instances(store)]
    return {result.instance.name: result for result in results}


def test_a_connection_test_reports_listed_hidden_and_measurable_databases(store: Database, tmp_path: Path) -> None:
    register(store, "a")
    result = examine(store, tmp_path, FakeFleet({"a": server({"app": 5, "shop": 7, "template1": 1, "secret": None})}))["a"]
    assert (result.server_version, result.visible, result.hidden, result.measurable, result.total_bytes) == ("Fake 1.0", 4, 1, 2, 12)
    assert [(gap.database_name, gap.reason) for gap in result.missing] == [("secret", Reason.NO_PERMISSION)]
    assert result.is_reached
    assert not result.is_fine
    assert min(result.connect_seconds or -1, result.round_trip_seconds or -1) >= 0


def test_a_server_without_databases_of_its_own_is_fine_and_has_no_size(store: Database, tmp_path: Path) -> None:
    register(store, "a")
    result = examine(store, tmp_path, FakeFleet({"a": server({"template0": 1})}))["a"]
    assert (result.is_fine, result.measurable, result.total_bytes) == (True, 0, None)


def test_a_login_that_may_not_see_every_database_is_not_fine(store: Database, tmp_path: Path) -> None:
    register(store, "a")
    result = examine(store, tmp_path, FakeFleet({"a": server({"app": 5}, grant_to_list="GRANT all of it;")}))["a"]
    assert (result.is_fine, result.measurable, result.missing) == (False, 1, ())


def test_only_version_and_instant_of_servers_that_answered_are_kept(store: Database, tmp_path: Path) -> None:
    register(store, "a", "down")
    examine(store, tmp_path, FakeFleet({"a": server()}))
    assert [(registered.server_version, registered.last_connected_at) for registered in registered_instances(store)] == [
        ("Fake 1.0", NIGHT),
        (None, None),
    ]
    for table in ("instance_databases", "database_size_stats", "sync_sessions", "capacity_gaps"):
        assert query(store, f"select count(*) from {table}") == [(0,)]


def test_each_failure_is_one_servers_own(store: Database, tmp_path: Path) -> None:
    register(store, "fine", "down", "wrong", "secret")
    with store.transaction() as cursor:
        cursor.execute("update credentials set secret = 'env:MONITOR_NOT_SET' where name = 'secret'")
    refusal = LoginRejectedError("wrong password", reason=Reason.AUTHENTICATION_FAILED)
    servers = {"fine": server(), "wrong": server(refusal=refusal), "secret": server()}
    results = examine(store, tmp_path, FakeFleet(servers))
    assert {name: getattr(result.error, "reason", None) for name, result in results.items()} == {
        "fine": None,
        "down": Reason.CONNECTION_REFUSED,
        "wrong": Reason.AUTHENTICATION_FAILED,
        "secret": Reason.SECRET_UNREADABLE,
    }
    assert [name for name, result in results.items() if result.is_reached] == ["fine"]
    assert servers["secret"].probes == 0


def test_an_engine_without_a_driver_is_one_servers_failure(store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unload_driver(monkeypatch)
    register(store, "ora", engine=Engine.ORACLE)
    result = examine(store, tmp_path, ServerFleet())["ora"]
    assert "oracle" in str(result.error)


def test_a_bug_in_one_probe_fails_only_that_server(store: Database, tmp_path: Path) -> None:
    register(store, "a", "b")

    def stumble(_server: FakeServer) -> None:
        raise ZeroDivisionError("by zero")

    results = examine(store, tmp_path, FakeFleet({"a": server(on_probe=stumble), "b": server()}))
    assert "ZeroDivisionError" in str(results["a"].error)
    assert results["b"].is_fine


def test_hanging_servers_take_one_deadline_together(store: Database, tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(6)]
    register(store, *names)
    fleet = FakeFleet({name: server(hangs=True) for name in names}, Deadlines(instance_seconds=0.5))
    started = time.monotonic()
    results = examine(store, tmp_path, fleet)
    assert {getattr(result.error, "reason", None) for result in results.values()} == {Reason.TIMEOUT}
    assert time.monotonic() - started < 6 * 0.5
