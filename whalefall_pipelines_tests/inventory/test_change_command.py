"""`whalefall instances set`, `rename` and the filters `--tag` and `--engine`: only what is named changes, and history stays."""

import json
from typing import Any

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import document, refused, succeed, whalefall
from whalefall_pipelines_tests.factories import query

ADD = ("instances", "add", "--username", "monitor", "--secret", "env:MONITOR_DB", "--offline")
SET = ("instances", "set", "--offline")


@pytest.fixture
def environment(store_environment: dict[str, str]) -> dict[str, str]:
    """Three servers: two of PostgreSQL, one of which has a tag and a limit, and one of MariaDB."""
    succeed(
        store_environment, *ADD, "db1", "--engine", "postgres", "--host", "db1.invalid", "--tag", "env=prod", "--capacity-limit", "1TiB"
    )
    succeed(store_environment, *ADD, "db2", "--engine", "postgres", "--host", "db2.invalid", "--tag", "env=test", "--tag", "team=a")
    succeed(store_environment, *ADD, "db3", "--engine", "mariadb", "--host", "db3.invalid")
    return store_environment


def shown(environment: dict[str, str], name: str) -> dict[str, Any]:
    return document(environment, "instances", "show", name)


def test_only_the_given_fields_change(environment: dict[str, str]) -> None:
    before = shown(environment, "db1")
    result = whalefall(environment, *SET, "db1", "--port", "6432", "--tag", "team=b", "--sslmode", "require")
    assert result.exit_code == 0, result.output
    assert "db1: port 5432 → 6432" in result.stderr
    assert "db1: tags env=prod → env=prod, team=b" in result.stderr
    assert shown(environment, "db1") == before | {"port": 6432, "sslmode": "require", "tags": {"env": "prod", "team": "b"}}
    succeed(environment, *SET, "db1", "--untag", "env", "--untag", "team", "--clear", "sslmode", "--clear", "capacity-limit")
    assert shown(environment, "db1") == before | {"port": 6432, "tags": {}, "capacity_limit_bytes": None}


def test_the_login_keeps_what_is_not_given(environment: dict[str, str]) -> None:
    succeed(environment, *SET, "db1", "--username", "other")
    assert (shown(environment, "db1")["username"], shown(environment, "db1")["secret"]) == ("other", "env:MONITOR_DB")
    succeed(environment, *SET, "db1", "--secret", "env:MONITOR_NEW")
    assert (shown(environment, "db1")["username"], shown(environment, "db1")["secret"]) == ("other", "env:MONITOR_NEW")
    succeed(environment, *SET, "db1", "--password-prompt", typed="hunter2-canary\n")
    assert (shown(environment, "db1")["username"], shown(environment, "db1")["secret"]) == ("other", "encrypted")
    result = whalefall(environment, *SET, "db1", "--username", "again")
    assert "canary" not in result.output
    assert (shown(environment, "db1")["username"], shown(environment, "db1")["secret"]) == ("again", "encrypted")


def test_a_login_that_others_use_is_not_changed(environment: dict[str, str], store: Database) -> None:
    succeed(environment, *SET, "db2", "--credential", "db1")
    sentence = refused(environment, *SET, "db2", "--username", "other")
    assert "db1" in sentence
    assert "--credential-name" in sentence
    succeed(environment, *SET, "db2", "--username", "other", "--credential-name", "own")
    assert (shown(environment, "db1")["username"], shown(environment, "db2")["username"]) == ("monitor", "other")
    assert shown(environment, "db2")["secret"] == "env:MONITOR_DB"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("db1", "--port", "70000"), "65535"),
        (("db1", "--untag", "nothing"), "no tag 'nothing'"),
        (("nobody", "--port", "1"), "Not registered: 'nobody'"),
        (("db1", "--secret", "hunter2"), "not a reference"),
        (("db1", "hunter2"), "Only one NAME"),
        (("db2", "--host", "db1.invalid"), "db1"),
    ],
)
def test_what_cannot_be_changed_is_said_and_changes_nothing(
    environment: dict[str, str], store: Database, options: tuple[str, ...], word: str
) -> None:
    before = query(store, "select * from instances join credentials using (credential_id)")
    sentence = refused(environment, *SET, *options)
    assert word in sentence
    assert "hunter2" not in sentence
    assert query(store, "select * from instances join credentials using (credential_id)") == before


def test_setting_what_is_so_already_changes_nothing(environment: dict[str, str]) -> None:
    assert "already has these values" in whalefall(environment, *SET, "db1", "--port", "5432").stderr


def test_a_disabled_server_stays_disabled(environment: dict[str, str]) -> None:
    succeed(environment, "instances", "disable", "db1")
    succeed(environment, *SET, "db1", "--port", "6432")
    assert shown(environment, "db1")["active"] is False


def test_a_renamed_server_keeps_its_history_and_its_login(environment: dict[str, str], store: Database) -> None:
    before = shown(environment, "db1")
    succeed(environment, "instances", "rename", "db1", "orders")
    assert shown(environment, "orders") == before | {"name": "orders", "credential": "orders"}
    assert "Not registered: 'db1'" in refused(environment, "instances", "show", "db1")
    succeed(environment, *ADD, "db1", "--engine", "postgres", "--host", "db4.invalid", "--username", "new")


def test_a_login_that_others_use_keeps_its_name(environment: dict[str, str]) -> None:
    succeed(environment, *SET, "db2", "--credential", "db1")
    succeed(environment, "instances", "rename", "db1", "orders")
    assert (shown(environment, "orders")["credential"], shown(environment, "db2")["credential"]) == ("db1", "db1")


@pytest.mark.parametrize(
    ("new", "word"), [("db2", "already an instance 'db2'"), ("gone", "It was removed"), ("", "empty name"), ("\udcff", "UTF-8")]
)
def test_a_name_that_is_taken_or_unfit_is_refused(environment: dict[str, str], new: str, word: str) -> None:
    succeed(environment, *ADD, "gone", "--engine", "postgres", "--host", "gone.invalid")
    succeed(environment, "instances", "remove", "gone", "--yes")
    assert word in refused(environment, "instances", "rename", "db1", new)
    assert shown(environment, "db1")["name"] == "db1"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--tag", "env=prod"), ["db1"]),
        (("--tag", "env"), ["db1", "db2"]),
        (("--tag", "env=test", "--tag", "team"), ["db2"]),
        (("--engine", "mariadb"), ["db3"]),
        (("--engine", "mysql", "--engine", "postgres", "--tag", "env"), ["db1", "db2"]),
        (("--tag", "env=none"), []),
    ],
)
def test_a_list_is_filtered_by_tags_and_engines(environment: dict[str, str], options: tuple[str, ...], names: list[str]) -> None:
    assert [row["name"] for row in document(environment, "instances", "list", *options)] == names


def test_a_part_of_the_fleet_is_tested_and_collected(environment: dict[str, str]) -> None:
    tested = whalefall(environment, "instances", "test", "--json", "--tag", "env=prod")
    assert [row["name"] for row in json.loads(tested.stdout)] == ["db1"]
    collected = whalefall(environment, "collect", "--json", "--engine", "postgres", "--tag", "team=a")
    assert [row["instance"] for row in json.loads(collected.stdout)] == ["db2"]


def test_a_filter_without_a_match_is_no_success(environment: dict[str, str]) -> None:
    assert "No active instance matches --tag env=none" in refused(environment, "instances", "test", "--tag", "env=none")
    assert "No active instance matches --engine oracle" in refused(environment, "collect", "--engine", "oracle")
    assert "--engine 'db2' is unknown" in refused(environment, "instances", "list", "--engine", "db2")
    assert "No instance that matches --tag env=none" in succeed(environment, "instances", "list", "--tag", "env=none")
