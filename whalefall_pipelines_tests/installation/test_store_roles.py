"""The separated roles on real PostgreSQL 15 and 18: what each can do is tried, and the writer has just the needed privileges."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import psycopg2
import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.aggregation.aggregate import verify
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.capacity.fill_gaps import fill_gaps
from whalefall_pipelines.client import ApiError, Client
from whalefall_pipelines.domain.months import Month, Place
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError, StoreError
from whalefall_pipelines.retention.maintain_table_partitions import create_table_partitions, expire_table_partitions
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months, read_catalogue
from whalefall_pipelines.store.roles import StoreRoles, write_role_statements
from whalefall_pipelines_tests.aggregation.test_aggregate import aggregate
from whalefall_pipelines_tests.api.site import site
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import DAY, FleetTest, query, server

SETTINGS = load_settings({"WHALEFALL_HOME": "/nonexistent"})
MAINTENANCE = StoreRoles("up-owner", "up-writer", "up-reader", "up-web")
STRICT = StoreRoles("strict_owner", "strict_writer", "strict_reader", "strict_web", owner_keeps_months=True)
PASSWORD = "only for this test"


@dataclass(frozen=True, slots=True)
class Separated:
    """A store with separated roles: its superuser's login, and one login per role."""

    cluster: PostgresCluster
    roles: StoreRoles
    superuser: Database
    owner: Database
    writer: Database
    reader: Database
    web: Database

    def apply(self) -> None:
        """Run the statements as an administrator would, through psql."""
        text = write_role_statements(self.superuser, self.roles, is_dagster=False)
        address = self.cluster.url(str(self.superuser.url.database))
        command = [str(self.cluster.bin_dir / "psql"), "-X", "-1", "-v", "ON_ERROR_STOP=1", "-d", address]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr


def separate(cluster: PostgresCluster, store: Database, roles: StoreRoles) -> Iterator[Separated]:
    names = (roles.owner, roles.writer, roles.reader, roles.web)
    with ExitStack() as stack:
        owner, writer, reader, web = (
            stack.enter_context(closing(Database(store.url.set(username=name, password=PASSWORD), TIMEZONE))) for name in names
        )
        separated_store = Separated(cluster, roles, store, owner, writer, reader, web)
        separated_store.apply()
        for name in names:
            administer(cluster, f"alter role \"{name}\" password '{PASSWORD}'")
        yield separated_store
    database = str(store.url.database)
    administer(cluster, *(f'reassign owned by "{name}" to postgres' for name in names), database=database)
    administer(cluster, *(f'drop owned by "{name}"' for name in names), database=database)
    administer(cluster, *(f'drop role "{name}"' for name in names))


@pytest.fixture
def separated(maintenance_server: PostgresCluster, maintenance_store: Database) -> Iterator[Separated]:
    """Roles in which the writer maintains the months."""
    yield from separate(maintenance_server, maintenance_store, MAINTENANCE)


@pytest.fixture
def strict(maintenance_server: PostgresCluster, maintenance_store: Database) -> Iterator[Separated]:
    """Roles in which only the owner maintains the months."""
    yield from separate(maintenance_server, maintenance_store, STRICT)


def execute(store: Database, *statements: str) -> None:
    with store.transaction() as cursor:
        for statement in statements:
            cursor.execute(statement)


def collected(separated_store: Separated, tmp_path: Path) -> FleetTest:
    """A fleet that the owner registered and the writer collected on two days, with a missing day between them."""
    servers = {"a": server(), "partly": server({"app": 5, "secret": None}), "down": server(hangs=True)}
    fleet = FleetTest(separated_store.owner, tmp_path, servers)
    fleet.store = separated_store.writer
    fleet.now -= timedelta(days=2)
    fleet.collect(DAY - timedelta(days=2))
    fleet.now += timedelta(days=2)
    fleet.collect(DAY)
    return fleet


def test_the_writer_can_write_days_gaps_periods_and_sessions(separated: Separated, tmp_path: Path) -> None:
    migrations.check(separated.writer)
    fleet = collected(separated, tmp_path)
    assert fleet.sizes() == {("a", "app"): 1000, ("a", "shop"): 2000, ("partly", "app"): 5}
    assert fleet.gaps()["partly", "secret"] == "no_permission"
    plan = SessionPlan(fleet.collect()[0], SyncCategory.CAPACITY, SyncType.BACKFILL, DAY, DAY)
    assert sessions.get_session(separated.writer, plan.session_id).status is SessionStatus.FAILED
    filled = fill_gaps(fleet.collector(), fleet.instances, [DAY - timedelta(days=1)], plan.session_id, print)
    assert filled.estimated == 3
    for period_type in PeriodType:
        aggregate(separated.writer, periods_between(period_type, DAY - timedelta(days=2), DAY), DAY)
    assert list(verify(separated.reader, DAY - timedelta(days=2), DAY, DAY)) == []


def test_the_web_process_registers_servers_and_the_writer_does_not(separated: Separated, tmp_path: Path) -> None:
    with (
        site(separated.web, tmp_path, {"new": server()}) as running,
        Client(running.url, running.token(Scope.ADMIN)) as client,
    ):
        new = client.register("new", "postgresql", "db.example", username="monitor", tags={"env": "prod"}, check_identity=False)
        path = f"/instances/{new['instance_id']}"
        assert client.test(new["instance_id"])["is_fine"]
        assert client.collect(new["instance_id"])["total_bytes"] == 3000
        assert len(list(client.database_sizes(instance_id=new["instance_id"]))) == 2
        assert [client.post(f"{path}/actions/{action}")["is_active"] for action in ("disable", "enable")] == [False, True]
        month = f"{running.services.today() + timedelta(days=400)}"
        assert {step["error"] for step in client.post("/partitions", {"date": month})} == {None}
        assert client.delete(path)["name"] == "new"
    with (
        site(separated.writer, tmp_path, {}) as running,
        Client(running.url, running.token(Scope.ADMIN)) as client,
        pytest.raises(ApiError) as refused,
    ):
        client.register("another", "postgresql", "db.example", username="monitor", check_identity=False)
    assert (refused.value.status, refused.value.message_code) == (500, "DATABASE_QUERY_ERROR")


def test_the_writer_creates_and_expires_months_that_the_owner_owns(separated: Separated) -> None:
    ensure_months(separated.writer, [date(2024, 3, 1)])
    execute(separated.writer, _a_day("2024-03-05"))
    made = create_table_partitions(separated.writer, SETTINGS, DAY).outcomes
    assert {outcome.error for outcome in made} == {None}
    assert (Month(2024, 4), Month(2027, 2)) == (min(outcome.step.month for outcome in made), max(outcome.step.month for outcome in made))
    outcomes = expire_table_partitions(separated.writer, SETTINGS, DAY, beyond_limit=True).outcomes
    assert {outcome.error for outcome in outcomes} == {None}
    assert Month(2024, 3) in {outcome.step.month for outcome in outcomes}
    assert {table_partition.place for table_partition in read_catalogue(separated.owner)} == {Place.ATTACHED}
    owners = "select distinct pg_get_userbyid(relowner) from pg_class where relname ~ '_size_' and relkind in ('r', 'p')"
    assert query(separated.owner, owners) == [("up-owner",)]
    assert query(separated.writer, "select current_user, count(*) from instance_size_stats_2026_11 group by 1") == []
    assert query(separated.reader, "select count(*) from instance_size_stats_2026_11") == [(0,)]


def test_a_superuser_who_makes_a_month_does_not_take_it_from_the_owner(separated: Separated) -> None:
    ensure_months(separated.superuser, [date(2020, 3, 1), DAY])
    assert {outcome.error for outcome in expire_table_partitions(separated.writer, SETTINGS, DAY).outcomes} == {None}
    assert [table_partition.name for table_partition in read_catalogue(separated.owner) if table_partition.month == Month(2020, 3)] == []


def test_where_the_owner_keeps_the_months_the_writer_collects_into_those_that_are_there(strict: Separated, tmp_path: Path) -> None:
    create_table_partitions(strict.owner, SETTINGS, DAY)
    assert collected(strict, tmp_path).sizes()["a", "app"] == 1000
    assert create_table_partitions(strict.writer, SETTINGS, DAY).outcomes == ()
    with pytest.raises(StoreError, match="whalefall store roles"):
        ensure_months(strict.writer, [date(2024, 3, 1)])
    ensure_months(strict.owner, [date(2024, 3, 1)])
    (outcome, *_) = expire_table_partitions(strict.writer, SETTINGS, DAY).outcomes
    assert "whalefall store roles" in str(outcome.error)
    assert {outcome.error for outcome in expire_table_partitions(strict.owner, SETTINGS, DAY).outcomes} == {None}
    with pytest.raises(StoreError, match="permission denied"):
        execute(strict.writer, "set role strict_owner")


HARM = (
    "drop table credentials",
    "drop table instance_size_stats_2026_11",
    "drop view capacity_coverage",
    "truncate instance_size_stats",
    "truncate instance_size_stats_2026_11",
    "truncate sync_sessions cascade",
    "alter table instance_size_stats detach partition instance_size_stats_2026_11",
    "alter table instances add column x text",
    "alter table sync_sessions disable trigger all",
    "create table mine (x integer)",
    "create or replace view capacity_coverage as select 1 as stat_date",
    "delete from database_size_stats",
    "delete from database_size_aggregations",
    "insert into credentials (name, username) values ('x', 'y')",
    "update credentials set secret = 'env:OTHER'",
    "delete from credentials",
    "update instances set host = 'elsewhere'",
    "update instances set is_active = false, deactivated_at = now()",
    "update installation set timezone = 'UTC'",
    "insert into schema_migrations (version, name, checksum) values (9999, 'x', 'y')",
    "insert into sync_state_moves (table_name, from_status, to_status) values ('sync_sessions', 'failed', 'running')",
    "create role mine",
    "drop database postgres",
    "copy credentials to program 'cat'",
)


@pytest.mark.parametrize("harm", HARM)
def test_the_writer_is_refused_what_no_run_does(separated: Separated, harm: str) -> None:
    ensure_months(separated.owner, [DAY])
    with separated.superuser.transaction() as cursor:
        before = _everything(cursor)
    # Outside a transaction, as DROP DATABASE requires; a granted privilege would show as no error, or as another one.
    with pytest.raises(StoreError, match=r"\(42501\)"), separated.writer.session() as cursor:
        cursor.execute(harm)
    with separated.superuser.transaction() as cursor:
        assert _everything(cursor) == before


def test_the_writer_may_do_with_rows_what_the_statements_do_and_nothing_more(separated: Separated) -> None:
    needed = needed_rights()
    assert ("instance_size_stats", "delete") in needed, "the statements are not read as they are written"
    for table in tables(separated.superuser):
        for verb in ("insert", "update", "delete", "truncate", "references", "trigger"):
            asked = f"select has_table_privilege(%s, %s, '{verb}')"
            if verb == "update":
                asked = asked.replace("has_table", "has_any_column")
            assert query(separated.superuser, asked, MAINTENANCE.writer, table) == [((table, verb) in needed,)], (table, verb)


def tables(store: Database) -> list[str]:
    """Every table and view of whalefall, except table partitions."""
    statement = (
        "select relname from pg_class where relkind in ('r', 'p', 'v') and relnamespace = 'public'::regnamespace and not relispartition"
    )
    return [str(name) for (name,) in query(store, statement)]


def needed_rights() -> set[tuple[str, str]]:
    """What the statements of runs write: all statements but those that migrate, register instances, or create the demo."""
    registering = {
        "add_zones",
        "remove_instances",
        "rename_own_credential",
        "replace_secrets",
        "set_instances_active",
        "upsert_credentials",
        "upsert_instances",
    }
    elsewhere = {"schema", "store", "demo", "simulator", "probes", "runtime"}
    # Forecasts and their scores land by COPY, without a statement of their own.
    privileges: set[tuple[str, str]] = {("capacity_forecasts", "insert"), ("capacity_forecast_scores", "insert")}
    for path in queries.SQL_ROOT.rglob("*.sql"):
        if path.relative_to(queries.SQL_ROOT).parts[0] in elsewhere or path.stem in registering:
            continue
        text = re.sub(r"--.*", "", path.read_text())
        for verb, table in re.findall(r"\b(insert into|update|delete from) ([a-z_]+)", text):
            if table not in {"set", "staged_sizes"}:
                privileges.add((table, verb.split()[0]))
        if re.search(r"on conflict .*?do update", text, re.DOTALL):
            privileges |= {(table, "update") for table in re.findall(r"\binsert into ([a-z_]+)", text)}
    return privileges


def test_the_reader_reads_everything_but_secrets_and_writes_nothing(separated: Separated, tmp_path: Path) -> None:
    collected(separated, tmp_path)
    execute(separated.owner, "update credentials set secret = 'env:HIDDEN'")
    names = tables(separated.superuser)
    assert {"capacity_coverage", "fleet_today", "database_growth", "schema_migrations"} < set(names)
    for table in (*names, "instance_size_stats_2026_11"):
        if table not in {"credentials", "api_tokens", "api_requests"}:
            query(separated.reader, f'select * from "{table}" limit 1')
    assert query(separated.reader, "select name, username from credentials order by name limit 1") == [("a", "monitor")]
    for reading in (
        "select secret from credentials",
        "select * from credentials",
        "select c::text from credentials as c",
        "copy credentials to stdout",
        "select digest from api_tokens",
        "select caller from api_requests",
    ):
        with pytest.raises(StoreError, match=r"\(42501\)"):
            query(separated.reader, reading)
    for writing in ("delete from sync_sessions", "create temporary table x ()", "insert into sync_sessions default values"):
        with pytest.raises(StoreError, match=r"\((25006|42501)\)"):
            execute(separated.reader, writing)
        with pytest.raises(StoreError, match=r"\(42501\)"):  # the read-only session is a convenience; the privileges are the protection
            execute(separated.reader, "set transaction read write", writing.replace("temporary ", ""))


def test_no_column_that_the_reader_sees_is_called_a_secret(separated: Separated) -> None:
    """A migration that adds a column with a secret must revoke it from the reader, who can read every new table."""
    columns = query(
        separated.superuser,
        "select attrelid::regclass::text, attname from pg_attribute join pg_class on attrelid = pg_class.oid "
        "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') and attnum > 0 and not attisdropped "
        "and has_column_privilege(%s, attrelid, attnum, 'select')",
        MAINTENANCE.reader,
    )
    assert ("credentials", "username") in columns
    # What is known of the passwords of accounts, not what they are.
    facts = {"is_password_expired", "has_empty_password", "password_changed_at", "password_expires_at"}
    columns = [
        column for column in columns if column[0] not in {"account_attributes", "account_attribute_versions"} or column[1] not in facts
    ]
    assert [column for column in columns if re.search("secret|password|token|passphrase|cipher", str(column[1]))] == []


def test_tables_of_a_later_migration_are_granted_to_every_role_immediately(separated: Separated) -> None:
    execute(separated.owner, "create table later (x integer)")
    execute(separated.writer, "insert into later values (1)", "update later set x = 2")
    assert query(separated.reader, "select x from later") == [(2,)]
    with pytest.raises(StoreError, match=r"\(42501\)"):
        execute(separated.writer, "delete from later")


def test_the_owner_migrates(separated: Separated) -> None:
    assert migrations.migrate(separated.owner, "UTC") == ()
    with pytest.raises(StoreError, match=r"\(42501\)"):
        migrations.migrate(separated.writer, "UTC")


def test_a_second_application_changes_nothing(separated: Separated) -> None:
    ensure_months(separated.writer, [DAY])
    with separated.superuser.transaction() as cursor:
        before = _everything(cursor)
    separated.apply()
    with separated.superuser.transaction() as cursor:
        assert _everything(cursor) == before


def test_a_strict_writer_is_strict_even_after_a_lenient_one(separated: Separated) -> None:
    replace(separated, roles=replace(MAINTENANCE, owner_keeps_months=True)).apply()
    with pytest.raises(StoreError, match="whalefall store roles"):
        ensure_months(separated.writer, [DAY])


def test_tables_of_an_extension_stay_its_own(maintenance_server: PostgresCluster, maintenance_store: Database) -> None:
    if not query(maintenance_store, "select 1 from pg_available_extensions where name = 'pg_stat_statements'"):
        pytest.skip("this build of PostgreSQL comes without pg_stat_statements")
    administer(maintenance_server, "create extension pg_stat_statements", database=str(maintenance_store.url.database))
    for _ in separate(maintenance_server, maintenance_store, MAINTENANCE):
        owner = "select pg_get_userbyid(relowner) from pg_class where relname = 'pg_stat_statements'"
        assert query(maintenance_store, owner) == [("postgres",)]


@pytest.mark.parametrize("name", ["", "a$roles$", 'a"b', "a'b", "a%b", "pg_monitor", "a" * 64, "1a", "a b"])
def test_a_name_that_no_role_can_have_is_refused(store: Database, name: str) -> None:
    with pytest.raises(InputError, match="Invalid role names"):
        write_role_statements(store, StoreRoles(writer=name), is_dagster=False)


def test_two_roles_of_one_name_are_refused(store: Database) -> None:
    with pytest.raises(InputError, match="four different roles"):
        write_role_statements(store, StoreRoles(reader="whalefall_writer"), is_dagster=False)


def test_no_password_is_written(store: Database) -> None:
    for is_dagster in (False, True):
        lines = [line for line in write_role_statements(store, StoreRoles(), is_dagster=is_dagster).splitlines() if "password" in line]
        assert [line for line in lines if not line.startswith("--")] == []


def _a_day(day: str) -> str:
    return (
        "insert into instance_size_stats (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
        f"values (1, '{day}', 1, 1, 1, now(), 'measured')"
    )


def _everything(cursor: psycopg2.extensions.cursor) -> list[list[tuple[object, ...]]]:
    """Owners, privileges, memberships, and the number of rows in everything that could be changed."""
    results: list[list[tuple[object, ...]]] = []
    for statement in (
        (
            "select relname, relowner, (select array_agg(a::text order by a::text) from unnest(relacl) as a) from pg_class "
            "where relnamespace = 'public'::regnamespace order by relname"
        ),
        "select attrelid, attname, attacl from pg_attribute where attacl is not null order by 1, 2",
        (
            "select defaclrole, defaclnamespace, (select array_agg(a::text order by a::text) from unnest(defaclacl) as a) "
            "from pg_default_acl order by 1, 2, 3"
        ),
        "select roleid, member, admin_option from pg_auth_members order by 1, 2",
        "select rolname, rolinherit, rolcanlogin, rolsuper from pg_roles order by 1",
        "select proname, proowner, proacl from pg_proc where pronamespace = 'public'::regnamespace order by 1",
        (
            "select datdba, (select array_agg(a::text order by a::text) from unnest(datacl) as a) from pg_database "
            "where datname = current_database()"
        ),
        "select nspowner, (select array_agg(a::text order by a::text) from unnest(nspacl) as a) from pg_namespace where nspname = 'public'",
        "select count(*) from credentials",
        "select * from pg_db_role_setting order by 1, 2",
    ):
        cursor.execute(statement)
        results.append(cursor.fetchall())
    return results
