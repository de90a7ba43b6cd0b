"""All commands of an installation agree on the time zone, which is the store's, and a reading command never creates a store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.settings import machine_timezone
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall
from whalefall_pipelines_tests.cli.trees import Home
from whalefall_pipelines_tests.factories import query, register

READING = (
    ("coverage",),
    ("verify",),
    ("sessions", "list"),
    ("sessions", "show", "1"),
    ("sessions", "cancel", "1"),
    ("partitions", "plan"),
    ("partitions", "list"),
    ("partitions", "expire", "--dry-run"),
    ("instances", "list"),
    ("instances", "show", "a"),
    ("instances", "test"),
    ("instances", "enable", "a"),
    ("instances", "remove", "a"),
    ("aggregate", "--period", "daily", "--start", "2026-11-01"),
    ("store", "url"),
    ("store", "roles"),
    ("store", "set-timezone", "UTC"),
    ("env",),
)


def other_day() -> tuple[str, date]:
    """A zone in which the date differs from UTC at this moment, and that date: there is one at every hour."""
    now = datetime.now(UTC)
    name = "Pacific/Kiritimati" if now.hour >= 11 else "Pacific/Pago_Pago"
    return name, now.astimezone(ZoneInfo(name)).date()


@dataclass(frozen=True)
class Own:
    """An external store that nobody has migrated yet."""

    environment: dict[str, str]
    name: str

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        connection = psycopg2.connect(self.environment["WHALEFALL_DATABASE_URL"])
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def settings_of_the_database(self) -> object:
        return self.ask(
            f"select setconfig from pg_db_role_setting join pg_database as d on d.oid = setdatabase where datname = '{self.name}'"
        )


@pytest.fixture
def own(postgres_server: PostgresCluster, tmp_path: Path) -> Iterator[Own]:
    administer(postgres_server, "create database own_zone", "create database own_zone_dagster")
    environment = {
        "WHALEFALL_DATABASE_URL": postgres_server.url("own_zone"),
        "WHALEFALL_DAGSTER_DATABASE_URL": postgres_server.url("own_zone_dagster"),
    }
    yield Own(Home(tmp_path / "home", environment).environment, "own_zone")
    administer(postgres_server, "drop database own_zone with (force)", "drop database own_zone_dagster with (force)")


@pytest.mark.process
def test_a_forgotten_time_zone_changes_nothing_and_measures_the_same_day(
    own: Own, postgres_server: PostgresCluster, tmp_path: Path
) -> None:
    zone, day = other_day()
    made = Home(tmp_path / "home", own.environment | {"WHALEFALL_TIMEZONE": zone, "MONITOR_PASSWORD": "x"})
    made.succeed("store", "migrate")
    address = ("--host", "127.0.0.1", "--port", str(postgres_server.port), "--username", postgres_server.superuser)
    password = tmp_path / "password"
    password.write_text(postgres_server.pgpass.read_text().strip().split(":")[-1])
    own.environment["WHALEFALL_SECRET_FOLDERS"] = str(tmp_path)
    forgotten = Home(tmp_path / "home", own.environment)
    forgotten.succeed("instances", "add", "a", "--engine", "postgresql", *address, "--secret", f"file:{password}")
    before = own.settings_of_the_database()
    assert f"TimeZone={zone}" in str(before)
    forgotten.succeed("coverage")
    forgotten.run("collect", "--instance", "a")
    assert own.ask("select distinct stat_date from database_size_stats") == [(day,)]
    other = Home(tmp_path / "home", own.environment | {"WHALEFALL_TIMEZONE": "Asia/Shanghai"})
    for command in (("coverage",), ("instances", "list"), ("verify",), ("collect",), ("store", "migrate"), ("env",)):
        result = other.run(*command)
        assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr
        assert "Asia/Shanghai" in result.stderr
        assert zone in result.stderr
        assert "set-timezone" in result.stderr
    assert own.settings_of_the_database() == before
    assert own.ask("select timezone from installation") == [(zone,)]
    assert f"WHALEFALL_TIMEZONE={zone}" in forgotten.succeed("env")


@pytest.mark.process
def test_a_store_is_made_in_the_time_zone_of_the_machine_where_none_is_named(own: Own, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", own.environment | {"TZ": ":America/New_York"})
    result = home.run("store", "migrate")
    assert (result.returncode, "America/New_York" in result.stderr) == (0, True), result.stderr
    assert own.ask("select timezone, schema_version from installation") == own.ask(
        "select 'America/New_York', max(version) from schema_migrations"
    )


def test_the_zone_of_the_machine_is_found_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Rome").touch()
    assert machine_timezone({}, tmp_path).key == "UTC"
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert machine_timezone({}, tmp_path).key == "Asia/Tokyo"
    (tmp_path / "localtime").symlink_to(tmp_path / "zoneinfo" / "Europe" / "Rome")
    assert machine_timezone({}, tmp_path).key == "Europe/Rome"
    assert machine_timezone({"TZ": "America/Lima"}, tmp_path).key == "America/Lima"
    for unnamed in (":/etc/localtime", "CET-1CEST", "../etc/passwd", ""):
        assert machine_timezone({"TZ": unnamed}, tmp_path).key == "Europe/Rome"
    (tmp_path / "localtime").unlink()
    (tmp_path / "timezone").write_text("Etc/UTC\n")
    assert machine_timezone({}, tmp_path).key == "UTC"


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_reading_command_makes_no_store(tmp_path: Path, command: tuple[str, ...]) -> None:
    sentence = refused({"WHALEFALL_HOME": str(tmp_path / "home"), "WHALEFALL_TIMEZONE": ""}, *command)
    assert sentence.startswith(f"whalefall: There is no store in {tmp_path / 'home'} yet; run `whalefall store start`")
    assert list(tmp_path.iterdir()) == []


def test_commands_that_check_for_a_store_make_none_either(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("- {name: b, engine: mysql, host: h, username: u}")
    home = tmp_path / "home"
    for code, *command in (
        (1, "store", "status"),
        (2, "doctor"),
        (0, "store", "stop"),
        (2, "instances", "import", "--dry-run", "fleet.yaml"),
    ):
        arguments = [str(tmp_path / word) if word == "fleet.yaml" else word for word in command]
        result = whalefall({"WHALEFALL_HOME": str(home), "WHALEFALL_TIMEZONE": ""}, *arguments)
        assert result.exit_code == code, result.output
        assert not home.exists(), command


@pytest.mark.parametrize("command", [*READING, ("store", "status"), ("doctor", "--no-instances")], ids=" ".join)
def test_a_reading_command_leaves_an_older_store_as_it_is(
    store: Database, store_environment: dict[str, str], command: tuple[str, ...]
) -> None:
    with store.transaction() as cursor:
        cursor.execute("drop table installation; delete from schema_migrations where version >= 9")
        cursor.execute(f"alter database {store.url.database} set timezone to 'Asia/Tokyo'")
    facts = (
        "select count(*), max(version) from schema_migrations",
        "select relname, relfilenode from pg_class where relnamespace = 'public'::regnamespace order by relname",
        "select setconfig from pg_db_role_setting join pg_database as d on d.oid = setdatabase where datname = current_database()",
    )
    before = [query(store, fact) for fact in facts]
    result = whalefall(store_environment | {"WHALEFALL_DAGSTER_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, *command)
    if command[:2] not in {("store", "status"), ("store", "url"), ("doctor", "--no-instances")}:
        assert (result.exit_code, "whalefall store migrate" in result.stderr) == (2, True), result.output
    assert [query(store, fact) for fact in facts] == before


def test_the_zone_is_changed_by_a_plan_and_stored_days_keep_their_dates(store: Database, store_environment: dict[str, str]) -> None:
    (instance,) = register(store, "orders")
    with store.transaction() as cursor:
        cursor.execute(
            "insert into sync_sessions (session_id, sync_category, sync_type, status, first_day, last_day, total_instances) "
            "values (gen_random_uuid(), 'capacity', 'manual_task', 'running', '2026-11-22', '2026-11-22', 0)"
        )
    assert "is running" in refused(store_environment, "store", "set-timezone", "Europe/Berlin", "--yes")
    assert "Mars" in refused(store_environment, "store", "set-timezone", "Mars", "--yes")
    with store.transaction() as cursor:
        cursor.execute("update sync_sessions set status = 'failed', completed_at = now()")
    output = succeed(store_environment, "store", "set-timezone", "Europe/Berlin", "--yes")
    for zone in ("Europe/Berlin", "Asia/Shanghai"):
        assert f"{datetime.now(ZoneInfo(zone)).date()}" in output
        assert zone in output
    assert query(store, "select timezone from installation") == [("Europe/Berlin",)]
    name = str(store.url.database)
    configured = "select setconfig::text from pg_db_role_setting join pg_database as d on d.oid = setdatabase where datname = %s"
    assert query(store, configured, name) == [("{TimeZone=Europe/Berlin}",)]
    assert "unset" in refused(store_environment, "coverage")
    succeed(store_environment | {"WHALEFALL_TIMEZONE": ""}, "coverage")
    succeed(store_environment | {"WHALEFALL_TIMEZONE": "Europe/Berlin"}, "coverage")
    assert instance.name in succeed(store_environment | {"WHALEFALL_TIMEZONE": ""}, "instances", "list")


def test_a_code_location_with_other_days_than_the_store_is_refused(
    store: Database, store_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (store_environment | {"WHALEFALL_TIMEZONE": ""}).items():
        monkeypatch.setenv(name, value)
    with WhalefallResource().store() as opened:
        assert opened.timezone.key == "Asia/Shanghai"
    with store.transaction() as cursor:
        cursor.execute("update installation set timezone = 'Europe/Berlin'")
    with pytest.raises(InputError, match=r"time zone Asia/Shanghai.*Europe/Berlin.*whalefall env"), WhalefallResource().store():
        pass
