"""The accounts of real PostgreSQL servers of every supported version: what is read, by whom, and what stays unread."""

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg2
import pytest

from whalefall_pipelines.domain.accounts import Account, AccountListing, AccountPrivilege, AccountPrivileges, AccountReach, UnreadScope
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.accounts import ACCOUNTS
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.postgresql.names import decode_name
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES
from whalefall_pipelines_tests.servers.postgresql import (
    ask_through,
    create_database,
    create_login,
    instance_of,
    new_name,
    quoted,
    superuser,
)

pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Reading:
    """What one probe reads."""

    listing: AccountListing
    privileges: AccountPrivileges

    def account(self, name: str) -> Account:
        (account,) = [account for account in self.listing.accounts if account.account_name == name]
        return account

    def gap(self, database: str) -> UnreadScope | None:
        """The gap of a database; others of the server belong to other tests."""
        return next((gap for gap in self.privileges.unread if gap.database_name == database), None)

    def facts(self, database: str, account: str | None = None) -> set[tuple[object, ...]]:
        """The facts of a database without their grantors: scope, schema, object, column, privilege, origin, effect, traits."""
        chosen = [fact for fact in self.privileges.privileges if fact.database_name == database and account in {None, fact.account_name}]
        return {(*fact[1:2], *fact[3:6], _marked(fact), fact.origin, fact.effect, fact.traits) for fact in chosen}


def _marked(fact: AccountPrivilege) -> str:
    return fact.privilege + ("*" if fact.is_grantable else "")


def read(server: PostgresCluster, login: Login | None = None, deadlines: Deadlines | None = None) -> Reading:
    with ServerFleet(deadlines).connect(ACCOUNTS, instance_of(server), login or create_login(server)) as probe:
        listing = probe.list_accounts()
        return Reading(listing, probe.read_privileges(listing))


@contextmanager
def run(server: PostgresCluster, statements: Sequence[str], undo: Sequence[str] = (), database: str = "postgres") -> Generator[None]:
    """Run statements as the superuser, and others at the end."""
    with superuser(server, database) as cursor:
        for statement in statements:
            cursor.execute(statement)
        try:
            yield
        finally:
            for statement in undo:
                cursor.execute(statement)


def test_owners_grants_and_what_objects_have_by_themselves(server: PostgresCluster) -> None:
    database, owner, reader, role = create_database(server), *(new_name("role") for _ in range(3))
    scene = (
        f"create role {owner} login", f"create role {reader} login", f"create role {role}",
        "alter schema public owner to pg_database_owner",  # as all versions have it, whatever template1 has become
        f"create schema shop authorization {owner}",
        "create table shop.orders (id integer, note text)", f"alter table shop.orders owner to {owner}",
        "alter table shop.orders enable row level security",
        f"grant select, insert on shop.orders to {reader} with grant option",
        f"grant update (note) on shop.orders to {role}",
        f"revoke delete on shop.orders from {owner}",
        f"grant select on shop.orders to {owner}",
        "create view shop.open as select 1", "create view shop.checked with (security_invoker = on) as select 1",
        "create materialized view shop.kept as select 1", "create sequence shop.numbers", "create domain shop.word as text",
        "create function shop.total(integer, text) returns integer language sql security definer return 1",
        "create procedure shop.close(integer) language sql begin atomic select 1; end",
        f"alter default privileges for role {owner} in schema shop grant select on tables to {reader}",
        f"alter default privileges for role {owner} grant usage on sequences to {reader}",
    )  # fmt: skip
    with run(server, scene, database=database):
        reading = read(server)
    granted, owned, default = ("grant", "grant"), ("ownership", "grant"), ("default", "grant")
    assert reading.facts(database, owner) == {
        ("schema", "shop", None, None, "OWNER", *owned, ""),
        ("table", "shop", "orders", None, "OWNER", *owned, "row_security"),
        ("table", "shop", "orders", None, "DELETE", "ownership", "revoke", "row_security"),
    }
    assert reading.facts(database, reader) == {
        ("table", "shop", "orders", None, "SELECT*", *granted, "row_security"),
        ("table", "shop", "orders", None, "INSERT*", *granted, "row_security"),
        ("default_table", "shop", None, None, "SELECT", *granted, ""),
        ("default_sequence", None, None, None, "USAGE", *granted, ""),
    }
    assert reading.facts(database, role) == {("column", "shop", "orders", "note", "UPDATE", *granted, "")}
    assert {fact for fact in reading.facts(database, "postgres") if fact[1] == "shop"} == {
        ("table", "shop", "open", None, "OWNER", *owned, "view,runs_as_owner"),
        ("table", "shop", "checked", None, "OWNER", *owned, "view"),
        ("table", "shop", "kept", None, "OWNER", *owned, "materialized_view"),
        ("sequence", "shop", "numbers", None, "OWNER", *owned, ""),
        ("type", "shop", "word", None, "OWNER", *owned, ""),
        ("routine", "shop", "total(integer, text)", None, "OWNER", *owned, "runs_as_owner"),
        ("routine", "shop", "close(IN integer)", None, "OWNER", *owned, "procedure"),
    }
    assert {fact for fact in reading.facts(database, "public") if fact[1] == "shop" or fact[0] == "database"} == {
        ("database", None, None, None, "CONNECT", *default, ""),
        ("database", None, None, None, "TEMPORARY", *default, ""),
        ("type", "shop", "word", None, "USAGE", *default, ""),
        ("routine", "shop", "total(integer, text)", None, "EXECUTE", *default, "runs_as_owner"),
        ("routine", "shop", "close(IN integer)", None, "EXECUTE", *default, "procedure"),
    }
    grantors = {fact.grantor_name for fact in reading.privileges.privileges if fact.account_name == reader}
    assert grantors == {owner}
    assert len(set(reading.privileges.privileges)) == len(reading.privileges.privileges)
    assert reading.gap(database) is None


def test_accounts_and_their_attributes(server: PostgresCluster) -> None:
    strong, old, plain = (new_name("role") for _ in range(3))
    scene = (
        f"create role {strong} superuser createdb createrole replication bypassrls login connection limit 3",
        f"create role {old} login valid until '1901-02-03 04:05:06+00'",
        f"create role {plain} noinherit valid until 'infinity'",
        f"alter role {plain} set app.secret = 'of the application'",
    )
    with run(server, scene):
        reading = read(server)
    account = reading.account(strong)
    assert (account.account_kind, account.attributes.can_login, account.attributes.is_superuser) == ("user", True, True)
    assert account.attributes.others == {
        "inherits": True, "can_create_roles": True, "can_create_databases": True, "can_replicate": True, "bypasses_row_security": True,
        "connection_limit": 3, "settings": [],
    }  # fmt: skip
    expires_at = reading.account(old).attributes.password_expires_at
    assert expires_at == datetime(1970, 1, 1, tzinfo=UTC), "long ago is long ago"
    role = reading.account(plain)
    assert (role.account_kind, role.attributes.can_login, role.attributes.password_expires_at) == ("role", False, None)
    assert (role.attributes.others["inherits"], role.attributes.others["settings"]) == (False, ["app.secret"])
    assert "of the application" not in repr(reading)
    assert [account.account_name for account in reading.listing.accounts if account.is_everyone] == ["public"]
    assert (reading.account("pg_monitor").is_built_in, reading.account("postgres").is_built_in) == (True, False)
    built_in = {fact[0] for fact in reading.privileges.privileges if fact.origin == "built_in"}
    assert built_in == {"pg_read_all_data", "pg_write_all_data", *(("pg_maintain",) if _version(server) >= "17" else ())}


def test_memberships_have_the_options_of_their_version(server: PostgresCluster) -> None:
    major = int(_version(server))
    inheriting, refusing, middle, top = (new_name("role") for _ in range(4))
    options = "with inherit false, set false, admin true" if major > 15 else "with admin option"
    database = new_name("database")
    scene = (
        f"create role {inheriting} login", f"create role {refusing} login noinherit", f"create role {middle}", f"create role {top}",
        f"grant {middle} to {inheriting}", f"grant {middle} to {refusing}", f"grant {top} to {middle} {options}",
        f"create database {database} owner {refusing}",
    )  # fmt: skip
    with run(server, scene):
        reading = read(server)
    of_members = {
        (*edge[:5], edge.database_name) for edge in reading.privileges.memberships if edge.member_name in {inheriting, refusing, middle}
    }
    assert of_members == {
        (inheriting, middle, True, True, False, None),
        (refusing, middle, False, True, False, None),
        (middle, top, major == 15, major == 15, True, None),
        (refusing, "pg_database_owner", major > 15, True, False, database),
    }
    assert all(edge.is_default for edge in reading.privileges.memberships)


def test_planted_holes_are_found(server: PostgresCluster) -> None:
    database, login = create_database(server), create_login(server)
    holes = ("grant select on pg_authid to public", f"grant execute on function pg_read_file(text) to {login.username}",
             f"grant select (rolpassword) on pg_authid to {login.username}")  # fmt: skip
    with run(server, holes, database=database):
        reading = read(server)
    found = {fact for fact in reading.facts(database) if "altered_built_in" in str(fact[-1]) and fact[4] != "OWNER"}
    assert found == {
        ("table", "pg_catalog", "pg_authid", None, "SELECT", "grant", "grant", "altered_built_in"),
        ("column", "pg_catalog", "pg_authid", "rolpassword", "SELECT", "grant", "grant", "altered_built_in"),
        ("routine", "pg_catalog", "pg_read_file(text)", None, "EXECUTE", "grant", "grant", "altered_built_in"),
    }


def test_hostile_names_arrive_unchanged(newest: PostgresCluster) -> None:
    database = create_database(newest, new_name('it\'s "a" %s 🐋'))
    roles = [f"{name[:55]}{new_name('')}" for name in HOSTILE_NAMES]
    scene = [f"create role {quoted(name)}" for name in roles]
    for name, role in zip(HOSTILE_NAMES, roles, strict=True):
        scene += [
            f"create schema {quoted(name)} authorization {quoted(role)}",
            f"create table {quoted(name)}.{quoted(name)} ({quoted(name)} int)",
        ]
        scene += [f"grant select ({quoted(name)}) on {quoted(name)}.{quoted(name)} to {quoted(role)}"]
    with superuser(newest, database) as cursor:
        for statement in scene:
            cursor.execute(statement.replace("%", "%%"), ())
    reading = read(newest)
    for name, role in zip(HOSTILE_NAMES, roles, strict=True):
        assert reading.facts(database, role) == {
            ("schema", name, None, None, "OWNER", "ownership", "grant", ""),
            ("column", name, name, name, "SELECT", "grant", "grant", ""),
        }


def test_names_of_any_encoding(newest: PostgresCluster) -> None:
    """Roles have the bytes that they were created with; a table has its characters, wherever the database has an encoding."""
    raw, latin = new_name("raw"), new_name("latin")
    role = b"caf\xe9" + new_name("role").encode()
    with superuser(newest) as cursor:
        cursor.execute(f"create database {raw} encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'")
        cursor.execute(f"create database {latin} encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'")
    with superuser(newest, raw) as cursor:
        cursor.execute("set client_encoding to 'SQL_ASCII'")
        cursor.execute(b'create role "' + role + b'"')
        cursor.execute(b'create table "\xff" (x int); alter table "\xff" owner to "' + role + b'"')
    with superuser(newest, latin) as cursor:
        cursor.execute('create table "café" (x int)')
        cursor.execute("set client_encoding to 'SQL_ASCII'")
        cursor.execute(b'grant select on "caf\xe9" to "' + role + b'"')
    reading = read(newest)
    assert reading.account(decode_name(role)).account_name == decode_name(role)
    assert {fact[2:4] for fact in reading.facts(raw, decode_name(role))} == {("\\xff", None)}
    assert {fact[2:5] for fact in reading.facts(latin, decode_name(role))} == {("café", None, "SELECT")}


def test_a_database_that_refuses_the_login_is_a_gap_with_its_cure_and_its_reach(server: PostgresCluster) -> None:
    database, owner, reader, login = create_database(server), new_name("role"), new_name("role"), create_login(server)
    scene = (
        f"create role {owner}", f"create role {reader}", f"revoke connect on database {database} from public",
        f"create schema shop authorization {owner}", "create table shop.orders (id int)", f"alter table shop.orders owner to {owner}",
        f"grant select on shop.orders to {reader}", f"create policy mine on shop.orders to {reader}",
    )  # fmt: skip
    with run(server, scene, database=database):
        before = read(server, login)
    gap = before.gap(database)
    assert gap
    assert (gap.reason, gap.scope, gap.attribute) == (Reason.NO_PERMISSION, None, None)
    assert {fact for fact in before.facts(database) if fact[0] != "database"} == set()
    assert {reach for reach in before.privileges.reaches if reach.account_name in {owner, reader}} == {
        AccountReach(owner, database, 2, 0, 0),
        AccountReach(reader, database, 0, 1, 1),
    }
    with run(server, [str(gap.cure)]):
        after = read(server, login)
    assert after.gap(database) is None
    assert {reach for reach in after.privileges.reaches if reach.database_name == database} == set()
    assert ("table", "shop", "orders", None, "SELECT", "grant", "grant", "") in after.facts(database, reader)


def test_an_account_that_is_dropped_between_the_phases_has_no_facts(newest: PostgresCluster) -> None:
    role, created = new_name("role"), new_name("role")
    with superuser(newest) as cursor:
        cursor.execute(f"create role {role}; grant pg_monitor to {role}; grant create on database postgres to {role}")
        with ServerFleet().connect(ACCOUNTS, instance_of(newest), create_login(newest)) as probe:
            listing = probe.list_accounts()
            cursor.execute(f"revoke create on database postgres from {role}; drop role {role}")
            cursor.execute(f"create role {created}; grant pg_monitor to {created}; grant create on database postgres to {created}")
            privileges = probe.read_privileges(listing)
        cursor.execute(f"revoke create on database postgres from {created}; drop role {created}")
    named = {edge.member_name for edge in privileges.memberships} | {fact.account_name for fact in privileges.privileges}
    assert named.isdisjoint({role, created})
    assert named <= {account.account_name for account in listing.accounts}


def test_a_database_that_hangs_costs_only_itself(newest: PostgresCluster) -> None:
    hanging, other = create_database(newest), create_database(newest)
    login = create_login(newest)
    with closing(psycopg2.connect(newest.url(hanging))) as connection, connection.cursor() as cursor:
        cursor.execute("lock table pg_catalog.pg_foreign_server in access exclusive mode")
        reading = read(newest, login, Deadlines(statement_seconds=2))
    gap = reading.gap(hanging)
    assert gap
    assert gap.reason is Reason.TIMEOUT
    assert reading.facts(other) != set()


def test_a_login_with_few_connections_reads_every_database_all_the_same(newest: PostgresCluster) -> None:
    names = [create_database(newest) for _ in range(5)]
    reading = read(newest, create_login(newest, None, "connection limit 2"))
    assert all(reading.gap(name) is None for name in names)
    assert all(("schema", "public", None, None, "OWNER", "ownership", "grant", "") in reading.facts(name) for name in names)


def test_a_catalogue_that_was_taken_from_everybody_is_named_with_its_grant(newest: PostgresCluster) -> None:
    login, other = create_login(newest, "monitor"), create_database(newest)
    hidden = ("revoke select on pg_catalog.pg_auth_members from public",)
    with run(newest, hidden, ["grant select on pg_catalog.pg_auth_members to public"]), pytest.raises(SizesError) as caught:
        read(newest, login)
    assert caught.value.reason is Reason.NO_PERMISSION
    assert str(caught.value).endswith('in the database "postgres": GRANT SELECT ON pg_catalog.pg_auth_members TO "monitor";')
    revoked = ["revoke select on pg_catalog.pg_proc from public"]
    with run(newest, revoked, ["grant select on pg_catalog.pg_proc to public"], database=other):
        gap = read(newest, login).gap(other)
    assert gap
    assert gap.detail.endswith(f'in the database "{other}": GRANT SELECT ON pg_catalog.pg_proc TO "monitor";')
    with superuser(newest) as cursor:
        cursor.execute("drop role monitor")


def test_the_printed_grants_are_enough_and_show_no_hash(server: PostgresCluster) -> None:
    database, login = create_database(server), create_login(server)
    with superuser(server) as cursor:
        cursor.execute(f"revoke connect on database {database} from public")
    with ServerFleet().connect(ACCOUNTS, instance_of(server), login) as probe:
        (missing,) = [privilege for privilege in probe.privileges() if not privilege.is_held]
    names = missing.statement.removeprefix("GRANT CONNECT ON DATABASE ").removesuffix(f" TO {login.username};")
    assert database in names.split(", ")
    with run(server, [missing.statement]):
        before = _next_transaction(server)
        with ServerFleet().connect(ACCOUNTS, instance_of(server), login) as probe:
            assert all(privilege.is_held for privilege in probe.privileges())
            listing = probe.list_accounts()
            assert [gap for gap in probe.read_privileges(listing).unread if gap.reason is Reason.NO_PERMISSION] == []
            for statement in ("select rolpassword from pg_catalog.pg_authid", "select * from pg_catalog.pg_authid"):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    ask_through(probe, statement)
            assert {value for (value,) in ask_through(probe, "select rolpassword from pg_catalog.pg_roles")} == {"********"}
            with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
                ask_through(probe, "create table public.written (x integer)")
        assert _next_transaction(server) == before
    assert "SCRAM-SHA-256$" not in repr(listing)


def _version(server: PostgresCluster) -> str:
    with superuser(server) as cursor:
        cursor.execute("select current_setting('server_version_num')::integer / 10000")
        return str(*cursor.fetchone() or ())


def _next_transaction(server: PostgresCluster) -> object:
    with superuser(server) as cursor:
        cursor.execute("select pg_snapshot_xmax(pg_current_snapshot())")
        return cursor.fetchone()
