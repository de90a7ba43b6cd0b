"""The commands of accounts, at the door that a user uses: over two stored days of a small fleet."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from whalefall_pipelines.domain.accounts import AccountKind, UnreadScope
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member, privilege
from whalefall_pipelines_tests.cli.commands import document, refused, succeed, whalefall
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import query

TODAY = today(datetime.now(UTC), TIMEZONE)
YESTERDAY, BEFORE = TODAY - timedelta(days=1), TODAY - timedelta(days=3)
PEOPLE = (
    account("postgres", "10", is_superuser=True),
    account("dba", "20", AccountKind.ROLE, can_login=False),
    account("owner", "21", AccountKind.ROLE, can_login=False),
    account("alice", "22"),
    account("app", "23"),
)
PUBLIC = (privilege("owner", "OWNER"), privilege("owner", "USAGE", None), privilege("app", "USAGE", None))
ENTRANCE = (privilege("owner", "CONNECT", None, schema=None), privilege("app", "CONNECT", None, schema=None))
BASE = (*PUBLIC, *ENTRANCE, privilege("app", "SELECT"), member("dba", "owner"))


@pytest.fixture
def fleet(store: Database, tmp_path: Path) -> AccountsTest:
    """Alice became a member of dba between the day before yesterday's gap and today."""
    scene = AccountsTest(
        store, tmp_path, {"orders": FakeServer(), "copy": FakeServer()}, day=BEFORE, now=datetime.now(UTC) - timedelta(days=3)
    )
    query(store, 'update instances set tags = \'{"env": "prod"}\' returning 1')
    for name in scene.servers:
        scene.hold(listing(*PEOPLE), facts(*BASE), name)
    scene.sync()
    scene.day, scene.now = TODAY, datetime.now(UTC)
    gap = UnreadScope(Reason.NO_PERMISSION, "no CONNECT", database_name="audit", cure='GRANT CONNECT ON DATABASE "audit" TO monitor;')
    scene.hold(listing(*PEOPLE), facts(*BASE, member("alice", "dba", inherits=False), unread=[gap]), "orders")
    scene.sync()
    return scene


def holders(rows: Any, instance: str = "orders") -> dict[str, tuple[str, str, str]]:
    return {row["account"]: (row["can"], row["path"], row["since"]) for row in rows if row["instance"] == instance}


def test_who_can_drop_a_table_since_when_and_through_what(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    who = holders(document(store_environment, "accounts", "who-can", "drop", "orders.invoices"))
    assert who == {
        "postgres": ("yes", "superuser", str(BEFORE)),
        "owner": ("yes", "OWNER on table (ownership)", str(BEFORE)),
        "dba": ("yes", "→ owner → OWNER on table (ownership)", str(BEFORE)),
        "alice": ("no", "⇒ dba → owner → OWNER on table (ownership)", str(TODAY)),
    }
    text = succeed(store_environment, "accounts", "who-can", "drop", "shop.orders.invoices", "--instance", "orders")
    assert "can become" in text


def test_who_could_on_a_past_day_that_was_not_observed(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    result = whalefall(store_environment, "accounts", "who-can", "DROP", "orders.invoices", "--as-of", str(YESTERDAY), "--json")
    assert "alice" not in result.stdout
    assert (
        f"orders was not observed on {YESTERDAY}; this is what was known on {BEFORE}. The next observation is on {TODAY}." in result.stderr
    )


def test_a_table_in_an_unread_database_is_unknown_and_not_nobody(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    assert "No server is known to have" in refused(store_environment, "accounts", "who-can", "select", "audit.private.logs")
    gap = UnreadScope(Reason.NO_PERMISSION, "roles are unreadable", database_name="shop", cure="GRANT CONNECT;")
    fleet.hold(listing(*PEOPLE), facts(unread=[gap]), "orders")
    fleet.sync()
    result = whalefall(store_environment, "accounts", "who-can", "select", "orders.invoices", "--instance", "orders")
    assert result.exit_code == 1
    assert "unknown: orders, privileges in shop (no_permission): roles are unreadable. To read it, run on that server: GRANT CONNECT;" in (
        result.stderr
    )


def test_a_privilege_that_no_server_knows_is_refused(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    refusal = refused(store_environment, "accounts", "who-can", "fly", "orders.invoices")
    assert "'fly' is not a privilege on this object. Possible privileges are ALTER, DELETE, DROP, " in refusal


def test_one_account_with_its_roles_and_the_path_of_each_privilege(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    sheet = document(store_environment, "accounts", "show", "orders", "alice")
    assert {role["role"]: (role["path"], role["has_now"]) for role in sheet["roles"]} == {
        "dba": ("⇒ dba", False),
        "owner": ("⇒ dba → owner", False),
    }
    assert {(row["privilege"], row["on"], row["through"]) for row in sheet["privileges"]} == {
        ("OWNER", "table shop.orders.invoices", "⇒ dba → owner"),
        ("USAGE", "schema shop.orders", "⇒ dba → owner"),
        ("CONNECT", "database shop", "⇒ dba → owner"),
    }
    assert sheet["unknown"][0]["cure"] == 'GRANT CONNECT ON DATABASE "audit" TO monitor;'
    assert sheet["last_login"] == f"not known, watched since {BEFORE}"
    assert document(store_environment, "accounts", "show", "orders", "alice", "--as-of", str(BEFORE))["roles"] == []
    assert "No account 'nobody' is known" in refused(store_environment, "accounts", "show", "orders", "nobody")
    assert "privileges in audit" in whalefall(store_environment, "accounts", "show", "orders", "alice").output


@pytest.mark.parametrize("engine", Engine)
def test_a_cycle_of_roles_cannot_exist_and_does_not_loop(
    store: Database, tmp_path: Path, store_environment: dict[str, str], engine: Engine
) -> None:
    fleet = AccountsTest(store, tmp_path, day=TODAY, now=datetime.now(UTC), engine=engine)
    names = ("a", "b", "c")
    cycle = [member(name, names[(place + 1) % 3]) for place, name in enumerate(names)]
    database = None if engine is Engine.ORACLE else "shop"
    schema = None if engine is Engine.MYSQL else "orders"
    held = privilege("c", "SELECT", database=database, schema=schema)
    fleet.hold(listing(*map(account, names)), facts(*cycle, held))
    fleet.sync()
    shown = document(store_environment, "accounts", "show", "a", "a")
    assert {role["role"] for role in shown["roles"]} >= {"b", "c"}
    assert "c" in succeed(store_environment, "accounts", "who-can", "select", ".".join(filter(None, (database, schema, "invoices"))))
    assert succeed(store_environment, "accounts", "export").count("SELECT") == 3
    assert succeed(store_environment, "accounts", "reach", "a", "a")


def test_the_list_of_accounts(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    rows = document(store_environment, "accounts", "list", "--superuser")
    assert [(row["instance"], row["account"]) for row in rows] == [("copy", "postgres"), ("orders", "postgres")]
    assert len(document(store_environment, "accounts", "list", "--tag", "env=prod", "--instance", "copy")) == 5
    assert document(store_environment, "accounts", "list", "--tag", "env=test") == []
    assert "is not a tag" in refused(store_environment, "accounts", "list", "--tag", "prod")
    first = next(csv.DictReader(io.StringIO(succeed(store_environment, "accounts", "list", "--csv", "--instance", "orders"))))
    assert (first["account"], first["can_login"]) == ("alice", "true")


def test_the_change_log(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    (change,) = document(store_environment, "accounts", "changes", "--since", str(BEFORE))
    assert (change["day"], change["after"], change["account"], change["what"]) == (
        str(TODAY),
        str(BEFORE),
        "alice",
        "membership in dba granted",
    )
    assert "membership in dba granted" in succeed(store_environment, "accounts", "changes")


def test_the_reach_of_an_account(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    rows = document(store_environment, "accounts", "reach", "orders", "alice")
    assert {(row["database"], row["scope"], row["privilege"], row["has_now"], row["objects"]) for row in rows} == {
        ("shop", "table", "OWNER", False, 1),
        ("shop", "schema", "USAGE", False, 1),
        ("shop", "database", "CONNECT", False, 1),
    }
    assert "is a superuser: it reaches everything" in whalefall(store_environment, "accounts", "reach", "orders", "postgres").stderr


def test_drift_between_servers_of_one_tag(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    assert document(store_environment, "accounts", "drift", "--tag", "env=prod") == [
        {"account": "alice", "engine": "postgresql", "difference": "is a member of dba", "on": ["orders"], "not_on": ["copy"]}
    ]


def test_drift_is_told_only_where_a_server_can_differ(store: Database, tmp_path: Path, store_environment: dict[str, str]) -> None:
    fleet = AccountsTest(store, tmp_path, {name: FakeServer() for name in ("a", "b", "c")}, day=TODAY, now=datetime.now(UTC))
    query(store, 'update instances set tags = \'{"env": "prod"}\' returning 1')
    statement = "insert into database_activity (instance_id, database_id, database_name, active_from) values (%s, 1, %s, %s) returning 1"
    for instance, database in zip(fleet.instances, ("shop", "shop", "crm"), strict=True):
        query(store, statement, instance.instance_id, database, BEFORE)
    many = [privilege("app", "SELECT", f"t{number}") for number in range(20)]
    fleet.hold(listing(account("app")), facts(*many, privilege("app", "DELETE")), "a")
    fleet.hold(listing(account("app")), facts(), "b")
    fleet.hold(listing(account("app")), facts(), "c")  # it has no shop
    fleet.sync()
    rows = document(store_environment, "accounts", "drift", "--tag", "env=prod")
    assert [(row["difference"], row["on"], row["not_on"]) for row in rows] == [
        ("has DELETE on table shop.orders.invoices", ["a"], ["b"]),
        ("has SELECT on 20 tables in shop.orders", ["a"], ["b"]),
    ]
    fleet.hold(listing(account("app")), facts(unread=[UnreadScope(Reason.NO_PERMISSION, "no CONNECT", database_name="shop")]), "b")
    fleet.sync()
    assert document(store_environment, "accounts", "drift", "--tag", "env=prod") == []


def test_the_export_for_attestation(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    rows = list(csv.DictReader(io.StringIO(succeed(store_environment, "accounts", "export", "--instance", "orders"))))
    assert {row["decision"] for row in rows} == {""}
    assert ("app", "SELECT", "table shop.orders.invoices") in {(row["account"], row["privilege"], row["on"]) for row in rows}
    assert "postgres" in {row["account"] for row in rows}


def test_a_server_that_cannot_be_reached_answers_directly(fleet: AccountsTest, store_environment: dict[str, str]) -> None:
    result = whalefall(store_environment, "accounts", "sync", "--instance", "orders", "--json")
    assert (result.exit_code, '"code": "DATABASE_CONNECTION_ERROR"' in result.stdout) == (2, True)
    unknown = whalefall(store_environment, "accounts", "sync", "--instance", "nowhere", "--json")
    assert (unknown.exit_code, '"code": "RESOURCE_NOT_FOUND"' in unknown.stdout) == (2, True)


def test_a_hostile_name_is_no_formula_in_a_csv_file(store: Database, tmp_path: Path, store_environment: dict[str, str]) -> None:
    fleet = AccountsTest(store, tmp_path, day=TODAY, now=datetime.now(UTC))
    fleet.hold(listing(account("=1+1")), facts())
    fleet.sync()
    assert "'=1+1" in succeed(store_environment, "accounts", "list", "--csv")
