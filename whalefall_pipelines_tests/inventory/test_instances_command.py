"""`whalefall instances`: adding, showing, disabling, enabling and removing, as people see it."""

import pytest

from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import describe
from whalefall_pipelines_tests.cli.commands import document, refused, succeed, whalefall
from whalefall_pipelines_tests.factories import DAY, query
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES

ADD = ("instances", "add", "--engine", "postgresql", "--host", "db.example", "--username", "monitor", "--offline")


def test_an_added_instance_is_listed_and_shown(store_environment: dict[str, str]) -> None:
    options = ("--secret", "env:MONITOR_DB", "--tag", "env=prod", "--tag", "team=a=b", "--capacity-limit", "1.5TiB", "--sslmode", "require")
    result = whalefall(store_environment, *ADD, "db1", "--port", "6432", "--database", "app", *options)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "db1 is registered" in result.stderr
    assert document(store_environment, "instances", "list") == [
        {
            "name": "db1",
            "engine": "postgresql",
            "address": "db.example:6432",
            "tags": {"env": "prod", "team": "a=b"},
            "active": True,
            "version": None,
            "last_connected": None,
            "replica": False,
            "identity": None,
            "zone": None,
        }
    ]
    shown = document(store_environment, "instances", "show", "db1")
    expected = {
        "name": "db1",
        "host": "db.example",
        "port": 6432,
        "database": "app",
        "sslmode": "require",
        "credential": "db1",
        "username": "monitor",
        "secret": "env:MONITOR_DB",
        "capacity_limit_bytes": 3 * 2**39,
        "databases": [],
    }
    assert {key: shown[key] for key in expected} == expected
    text = succeed(store_environment, "instances", "show", "db1")
    for word in ("env:MONITOR_DB", "1536GiB", "env=prod, team=a=b", "monitor", "None of its databases"):
        assert word in text
    assert "db.example:6432" in succeed(store_environment, "instances", "list")


def test_a_server_that_comes_back_says_that_it_keeps_its_tags_and_limit(store_environment: dict[str, str]) -> None:
    succeed(store_environment, *ADD, "db1", "--tag", "env=prod", "--capacity-limit", "1TiB")
    succeed(store_environment, "instances", "remove", "db1", "--yes")
    result = whalefall(store_environment, *ADD, "db1")
    assert "It keeps tags env=prod and capacity_limit 1TiB" in result.stderr
    shown = document(store_environment, "instances", "show", "db1")
    assert (shown["tags"], shown["capacity_limit_bytes"]) == ({"env": "prod"}, 2**40)


def test_mariadb_and_postgres_are_understood(store_environment: dict[str, str]) -> None:
    for name, engine in (("m", "mariadb"), ("p", "postgres")):
        succeed(store_environment, "instances", "add", name, "--engine", engine, "--host", name, "--username", "u", "--offline")
    listed = {row["name"]: (row["engine"], row["address"]) for row in document(store_environment, "instances", "list")}
    assert listed == {"m": ("mysql", "m:3306"), "p": ("postgresql", "p:5432")}


def test_show_lists_each_database_with_its_latest_size(store: Database, store_environment: dict[str, str]) -> None:
    succeed(store_environment, *ADD, "db1")
    with store.transaction() as cursor:
        cursor.execute("create table sizes partition of database_size_stats for values from ('2026-11-01') to ('2026-12-01')")
        cursor.execute(
            "insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date) "
            "select instance_id, unnest(array['app', 'new']), %s, %s from instances",
            (DAY, DAY),
        )
        cursor.execute(
            "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
            "select instance_id, 'app', %s, 1536, now(), 'measured', 'pg_database_size' from instances",
            (DAY,),
        )
    databases = document(store_environment, "instances", "show", "db1")["databases"]
    assert [(row["database"], row["total_bytes"], row["of"], row["last_seen"]) for row in databases] == [
        ("app", 1536, str(DAY), str(DAY)),
        ("new", None, None, str(DAY)),
    ]
    assert "1.5 kB" in succeed(store_environment, "instances", "show", "db1")


def test_of_an_encrypted_password_only_the_kind_is_shown(store_environment: dict[str, str]) -> None:
    succeed(store_environment, *ADD, "db1", "--password-prompt", typed="from standard input\n")
    assert document(store_environment, "instances", "show", "db1")["secret"] == "encrypted"


def test_an_empty_fleet_is_a_sentence_that_names_its_store_or_an_empty_list(store: Database, store_environment: dict[str, str]) -> None:
    output = succeed(store_environment, "instances", "list")
    assert f"in {describe(store.url)}; see `whalefall instances add" in output
    assert document(store_environment, "instances", "list") == []


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--port", "abc"), "a port is a number"),
        (("--capacity-limit", "500"), "like 500GiB"),
        (("--tag", "novalue"), "KEY=VALUE"),
        (("--tag", "a=1", "--tag", "a=2"), "no key may be repeated"),
        (("--credential", "other"), "one of the two"),
        (("--password-prompt", "--secret", "env:MONITOR_X"), "excludes --secret"),
        (("--engine", "db2"), "unknown engine"),
        (("surplus",), "Only one NAME"),
        (("--database", "\udcff"), "UTF-8"),
    ],
)
def test_what_cannot_be_added_is_one_sentence(
    store: Database, store_environment: dict[str, str], options: tuple[str, ...], word: str
) -> None:
    output = refused(store_environment, *ADD, "db1", *options)
    assert word in output
    assert output.count("\n") == 1
    assert active_instances(store) == ()


def test_adding_twice_is_refused_and_adding_a_removed_one_continues_it(store: Database, store_environment: dict[str, str]) -> None:
    succeed(store_environment, *ADD, "db1")
    assert "already an instance 'db1'" in refused(store_environment, *ADD, "db1")
    before = query(store, "select instance_id from instances")
    succeed(store_environment, "instances", "remove", "--yes", "db1")
    assert "'db1'" in refused(store_environment, "instances", "show", "db1")
    assert "history continues" in whalefall(store_environment, *ADD, "db1").stderr
    assert query(store, "select instance_id from instances") == before


def test_disabling_enabling_and_removing_take_several_names_and_all_of_them_or_none(
    store: Database, store_environment: dict[str, str]
) -> None:
    for name in ("a", "b"):
        succeed(store_environment, *ADD, name, "--port", str(ord(name)))
    assert "'x'" in refused(store_environment, "instances", "disable", "a", "x")
    assert len(active_instances(store)) == 2
    assert whalefall(store_environment, "instances", "disable", "a", "b").stderr == "a is disabled.\nb is disabled.\n"
    assert whalefall(store_environment, "instances", "enable", "a").stderr == "a is enabled.\n"
    assert whalefall(store_environment, "instances", "enable", "a", "b").stderr == "a was already enabled.\nb is enabled.\n"
    assert "'x'" in refused(store_environment, "instances", "remove", "--yes", "a", "x")
    assert "Removed a, b" in whalefall(store_environment, "instances", "remove", "--yes", "a", "b").stderr
    assert document(store_environment, "instances", "list") == []


def test_hostile_names_go_through_every_command_unharmed(store: Database, store_environment: dict[str, str]) -> None:
    for number, name in enumerate(HOSTILE_NAMES, start=1):
        succeed(store_environment, *ADD, "--port", str(number), "--tag", f"{name.replace('=', '')}={name}", "--", name)
        assert document(store_environment, "instances", "show", "--", name)["name"] == name
    listed = document(store_environment, "instances", "list")
    assert [(row["name"], list(row["tags"].values())) for row in listed] == [(name, [name]) for name in HOSTILE_NAMES]
    text = succeed(store_environment, "instances", "list")
    assert "two\\nlines" in text
    assert "\x1b" not in text
    output = whalefall(store_environment, "instances", "disable", "--", *HOSTILE_NAMES).stderr
    assert output.count("\n") == len(HOSTILE_NAMES)
    assert "\x1b" not in output
    succeed(store_environment, "instances", "enable", "--", *HOSTILE_NAMES)
    assert [instance.name for instance in active_instances(store)] == list(HOSTILE_NAMES)
    assert "\x1b" not in whalefall(store_environment, "instances", "remove", "--yes", "--", *HOSTILE_NAMES).output
    assert active_instances(store) == ()
