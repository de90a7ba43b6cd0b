"""The schema is applied once and completely, and only in versions that this program knows."""

import threading

import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.errors import SchemaError
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import TIMEZONE


def change(store: Database, statement: str) -> None:
    with store.transaction() as cursor:
        cursor.execute(statement)


def test_migrating_twice_changes_nothing(store: Database) -> None:
    assert migrations.migrate(store, TIMEZONE.key) == ()
    migrations.check(store)


def test_two_programs_migrate_an_empty_store_at_once(store: Database) -> None:
    change(store, "drop schema public cascade; create schema public")
    applied: list[tuple[migrations.Migration, ...]] = []
    threads = [threading.Thread(target=lambda: applied.append(migrations.migrate(store, TIMEZONE.key))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(len(each) for each in applied) == [0, 0, len(migrations.shipped())]


def test_an_empty_store_is_named_with_the_command_that_helps(store: Database) -> None:
    change(store, "drop schema public cascade; create schema public")
    with pytest.raises(SchemaError, match="whalefall store migrate"):
        migrations.check(store)


def test_a_changed_migration_is_refused(store: Database) -> None:
    change(store, "update schema_migrations set checksum = 'other' where version = 1")
    with pytest.raises(SchemaError, match="differs from"):
        migrations.migrate(store, TIMEZONE.key)
    with pytest.raises(SchemaError, match="differs from"):
        migrations.check(store)


def test_a_newer_store_is_refused(store: Database) -> None:
    change(store, "insert into schema_migrations (version, name, checksum) values (9999, '9999_future', 'x')")
    with pytest.raises(SchemaError, match="newer"):
        migrations.check(store)


def test_the_day_in_psql_is_the_day_that_whalefall_counts_by(store: Database) -> None:
    with store.transaction() as cursor:
        cursor.execute("set timezone to default")
        cursor.execute("select current_setting('timezone')")
        assert cursor.fetchone() == (TIMEZONE.key,)


def test_an_older_store_keeps_the_time_zone_of_its_database(store: Database) -> None:
    change(store, "drop table installation")
    change(store, f"alter database {store.url.database} set timezone to 'Europe/Berlin'")
    change(store, queries.load("schema/0009_installation"))
    with store.transaction() as cursor:
        cursor.execute("select timezone, created_at = (select min(applied_at) from schema_migrations) from installation")
        assert cursor.fetchone() == ("Europe/Berlin", True)


def test_a_restored_dump_is_given_its_time_zone_back(store: Database) -> None:
    change(store, f"alter database {store.url.database} reset timezone")
    migrations.migrate(store, "UTC")
    with store.transaction() as cursor:
        cursor.execute(
            "select setconfig::text from pg_db_role_setting join pg_database as d on d.oid = setdatabase and datname = %s",
            (store.url.database,),
        )
        assert cursor.fetchone() == (f"{{TimeZone={TIMEZONE.key}}}",)
