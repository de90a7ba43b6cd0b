"""Adding a server never overwrites one, and restores a removed one with its history."""

from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.errors import InputError, WhalefallError
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances
from whalefall_pipelines.inventory.fleet_entries import RawEntry
from whalefall_pipelines.inventory.register_instances import add_instance
from whalefall_pipelines.inventory.registration import Action
from whalefall_pipelines.inventory.switch_instances import disable, enable, remove_instances
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.at_once import at_once
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES


def add(store: Database, home: Path, name: str = "a", password: str | None = None, **values: str) -> Action:
    login = {} if "credential" in values else {"username": "u"}
    host = name if name.isalnum() and name.isascii() else "h"
    raw = RawEntry({"name": name, "engine": "postgresql", "host": host, **login, **values}, {"env": "prod"})
    return add_instance(load_settings({"WHALEFALL_HOME": str(home)}), store, raw, password).action


def test_an_added_instance_is_active_with_its_own_login(store: Database, tmp_path: Path) -> None:
    assert add(store, tmp_path, database="app", sslmode="require", capacity_limit="500GiB", secret="env:MONITOR_X") is Action.ADD
    (registered,) = registered_instances(store)
    assert (registered.entry.engine, registered.entry.port, registered.entry.database, registered.entry.sslmode) == (
        Engine.POSTGRESQL,
        5432,
        "app",
        "require",
    )
    assert (registered.entry.capacity_limit_bytes, registered.entry.tags, registered.login.name, registered.login.secret) == (
        500 * 2**30,
        {"env": "prod"},
        "a",
        "env:MONITOR_X",
    )
    assert registered.is_active


def test_a_password_is_kept_encrypted(store: Database, tmp_path: Path) -> None:
    add(store, tmp_path, password="hunter2-canary")
    ((secret,),) = query(store, "select secret from credentials")
    assert str(secret).startswith("encrypted:")
    (instance,) = active_instances(store)
    box = SecretBox(load_settings({"WHALEFALL_HOME": str(tmp_path)}))
    assert box.reveal(instance.secret, instance.username, instance.name).password == "hunter2-canary"


def test_adding_never_overwrites(store: Database, tmp_path: Path) -> None:
    add(store, tmp_path, host="first")
    before = query(store, "select * from instances, credentials")
    for change in ({"host": "second"}, {"host": "first"}):
        with pytest.raises(InputError, match="already an instance 'a'"):
            add(store, tmp_path, **change)
    disable(store, ["a"])
    with pytest.raises(InputError, match="already an instance 'a'"):
        add(store, tmp_path)
    enable(store, ["a"])
    assert [row[:10] for row in query(store, "select * from instances, credentials")] == [row[:10] for row in before]


def test_adding_never_changes_an_existing_login(store: Database, tmp_path: Path) -> None:
    add(store, tmp_path, secret="env:MONITOR_X")
    assert add(store, tmp_path, "b", credential="a") is Action.ADD
    assert add(store, tmp_path, "c", credential_name="a", secret="env:MONITOR_X") is Action.ADD
    with pytest.raises(InputError, match="already a credential 'a'"):
        add(store, tmp_path, "d", credential_name="a", secret="env:MONITOR_Y")
    remove_instances(store, ["a", "b", "c"])
    with pytest.raises(InputError, match="already a credential 'a'"):
        add(store, tmp_path, "d", credential_name="a", secret="env:MONITOR_Y")
    assert query(store, "select name, secret from credentials") == [("a", "env:MONITOR_X")]


def test_a_removed_instance_comes_back_with_its_history_and_a_new_login(store: Database, tmp_path: Path) -> None:
    add(store, tmp_path, secret="env:MONITOR_X")
    ((instance_id,),) = query(store, "select instance_id from instances")
    remove_instances(store, ["a"])
    assert add(store, tmp_path, secret="env:MONITOR_Y", host="moved") is Action.RESTORE
    assert [(instance.instance_id, instance.host, instance.secret) for instance in active_instances(store)] == [
        (instance_id, "moved", "env:MONITOR_Y")
    ]


def test_a_removed_instance_does_not_take_the_login_of_others_with_it(store: Database, tmp_path: Path) -> None:
    add(store, tmp_path, secret="env:MONITOR_X")
    add(store, tmp_path, "b", credential="a")
    remove_instances(store, ["a"])
    with pytest.raises(InputError, match="already a credential 'a'"):
        add(store, tmp_path, secret="env:MONITOR_Y")
    assert [instance.secret for instance in active_instances(store)] == ["env:MONITOR_X"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"engine": "db2"}, "unknown engine; write"),
        ({"port": "0"}, "65535"),
        ({"port": "65536"}, "65535"),
        ({"port": "５４３２"}, "65535"),  # noqa: RUF001 - digits that int() would take
        ({"host": "u@h"}, "host"),
        ({"credential": "nobody"}, "'nobody', which does not exist"),
        ({"capacity_limit": "0GiB"}, "0GiB"),
        ({"secret": "encrypted:x"}, "not a reference"),
        ({"name": ""}, "empty name"),
        ({"name": "\udcff"}, "UTF-8"),
        ({"database": ""}, "empty database"),
    ],
)
def test_what_cannot_be_registered_is_one_sentence_and_leaves_nothing(
    store: Database, tmp_path: Path, values: dict[str, str], word: str
) -> None:
    with pytest.raises(InputError, match=word) as caught:
        add(store, tmp_path, password=None if "credential" in values or "secret" in values else "p", **values)
    assert "\n" not in str(caught.value)
    assert query(store, "select count(*) from credentials") == [(0,)]
    assert not (tmp_path / "secret.key").exists()


def test_every_engine_can_be_added(store: Database, tmp_path: Path) -> None:
    for engine in Engine:
        assert add(store, tmp_path, str(engine), engine=engine) is Action.ADD


def test_of_programs_that_add_the_same_name_one_wins(store: Database, tmp_path: Path) -> None:
    def try_to_add() -> str:
        try:
            return add(store, tmp_path)
        except WhalefallError as error:
            return type(error).__name__

    assert sorted(at_once(*[try_to_add] * 4)) == ["InputError"] * 3 + ["add"]


def test_hostile_names_are_unchanged_however_they_were_added(store: Database, tmp_path: Path) -> None:
    for number, name in enumerate(HOSTILE_NAMES):
        add(store, tmp_path, name, host=f"'h%s\"{number}", username=name, database=name, sslrootcert=name)
    instances = registered_instances(store)
    assert tuple(instance.entry.name for instance in instances) == HOSTILE_NAMES
    for instance in instances:
        name = instance.entry.name
        assert (instance.login.name, instance.login.username, instance.entry.database, instance.entry.sslrootcert) == (
            name,
            name,
            name,
            name,
        )
