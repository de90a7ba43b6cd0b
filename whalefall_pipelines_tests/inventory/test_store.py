"""The registered fleet in the store: active instances, instances by name, and what a probe records."""

from datetime import timedelta

import pytest

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.errors import InputError, NotFoundError, StoreError
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances, show_instance
from whalefall_pipelines.inventory.store.instances import mark_connected, switch_active
from whalefall_pipelines.inventory.switch_instances import disable, enable, remove_instances
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, NIGHT, query, register
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES


def names(store: Database, *wanted: str) -> list[str]:
    return [instance.name for instance in active_instances(store, wanted)]


def test_active_instances_come_in_the_order_of_their_registration(store: Database) -> None:
    expected = register(store, "b", "a", "c")
    assert active_instances(store) == expected
    assert names(store, "c", "a", "c") == ["a", "c"]


def test_an_empty_fleet_has_no_active_instance(store: Database) -> None:
    assert active_instances(store) == ()


def test_disabled_and_removed_instances_are_not_probed(store: Database) -> None:
    register(store, "a", "b", "c")
    assert disable(store, ["b"]) == ("b",)
    remove_instances(store, ["c"])
    assert names(store) == ["a"]
    assert [registered.entry.name for registered in registered_instances(store)] == ["a", "b"]


def test_names_that_are_not_there_are_all_named(store: Database) -> None:
    register(store, "a", "gone", "off")
    remove_instances(store, ["gone"])
    with pytest.raises(NotFoundError, match="'gone', 'no\\\\nsuch'"):
        active_instances(store, ["a", "no\nsuch", "gone"])
    disable(store, ["off"])
    with pytest.raises(InputError, match="'off'"):
        active_instances(store, ["a", "off"])


def test_disabling_and_enabling_are_all_or_nothing_and_may_be_repeated(store: Database) -> None:
    register(store, "a", "b")
    with pytest.raises(NotFoundError, match="'x'"):
        disable(store, ["a", "x"])
    assert names(store) == ["a", "b"]
    assert disable(store, ["b", "a"]) == ("b", "a")
    deactivated = query(store, "select deactivated_at from instances")
    assert disable(store, ["a", "b"]) == ()
    assert query(store, "select deactivated_at from instances") == deactivated
    assert enable(store, ["b"]) == ("b",)
    assert names(store) == ["b"]


def test_removing_keeps_the_day_of_an_earlier_deactivation_and_cannot_be_repeated(store: Database) -> None:
    register(store, "a", "b")
    disable(store, ["a"])
    ((deactivated,),) = query(store, "select deactivated_at from instances where name = 'a'")
    with pytest.raises(NotFoundError, match="'x'"):
        remove_instances(store, ["a", "x"])
    remove_instances(store, ["a"])
    assert query(store, "select is_active, deactivated_at, deleted_at is not null from instances where name = 'a'") == [
        (False, deactivated, True)
    ]
    with pytest.raises(NotFoundError, match="'a'"):
        remove_instances(store, ["a"])


def test_a_probe_records_version_and_instant_and_an_older_one_changes_nothing(store: Database) -> None:
    first, second = register(store, "a", "b")
    for version, instant in (("2.0", NIGHT), ("1.0", NIGHT - timedelta(hours=1))):
        with store.transaction() as cursor:
            mark_connected(cursor, {second.instance_id: (version, instant)})
    assert [
        (registered.instance.instance_id, registered.server_version, registered.last_connected_at)
        for registered in registered_instances(store)
    ] == [
        (first.instance_id, None, None),
        (second.instance_id, "2.0", NIGHT),
    ]


def test_the_inventory_comes_with_the_latest_size_of_each_database(store: Database) -> None:
    (instance,) = register(store, "a")
    month = DAY.replace(day=1)
    with store.transaction() as cursor:
        cursor.execute(
            "create table sizes_1 partition of database_size_stats for values from (%s) to (%s)", (month - timedelta(days=31), month)
        )
        cursor.execute(
            "create table sizes_2 partition of database_size_stats for values from (%s) to (%s)", (month, month + timedelta(days=30))
        )
        for name, is_active in (("app", True), ("gone", False), ("new", True)):
            cursor.execute(
                "insert into instance_databases (instance_id, database_name, is_active, deleted_at, first_seen_date, last_seen_date) "
                "values (%s, %s, %s, %s, %s, %s)",
                (instance.instance_id, name, is_active, None if is_active else NIGHT, month, DAY),
            )
        for name, day, size in (("app", month - timedelta(days=3), 9), ("app", DAY, 7), ("gone", month - timedelta(days=3), 99)):
            cursor.execute(
                "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
                "values (%s, %s, %s, %s, now(), 'measured', 'pg_database_size')",
                (instance.instance_id, name, day, size),
            )
    assert [
        (database.database_name, database.is_active, database.total_bytes, database.stat_date)
        for database in show_instance(store, instance.name)[1]
    ] == [
        ("app", True, 7, DAY),
        ("new", True, None, None),
        ("gone", False, 99, month - timedelta(days=3)),
    ]


def test_hostile_names_pass_through_the_store_unharmed(store: Database) -> None:
    register(store, *HOSTILE_NAMES, engine=Engine.MYSQL)
    for name in HOSTILE_NAMES:
        assert names(store, name) == [name]
    assert disable(store, HOSTILE_NAMES) == HOSTILE_NAMES
    with store.transaction() as cursor:  # all have the same address, so a person could not enable them together
        assert switch_active(cursor, HOSTILE_NAMES, is_active=True) == HOSTILE_NAMES
    assert tuple(names(store)) == HOSTILE_NAMES
    remove_instances(store, HOSTILE_NAMES[1:])
    assert names(store) == [HOSTILE_NAMES[0]]


def test_the_store_refuses_an_instance_without_a_name(store: Database) -> None:
    with pytest.raises(StoreError, match="check constraint"):
        register(store, "")
