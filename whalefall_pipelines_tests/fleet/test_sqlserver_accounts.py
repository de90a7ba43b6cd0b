"""The accounts of the SQL Server for tests, through each ODBC driver: who is who, what is permitted and denied, and what stays unread."""

import pytest

from whalefall_pipelines.domain.accounts import AccountListing, AccountPrivileges
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.sqlserver.accounts import connect_through
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines_tests.servers.probes import PATIENT
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, instance_at, new_server

pytestmark = pytest.mark.process
driver, server = targets.driver, targets.server
OBJECT, SCHEMA = (1, "OBJECT_OR_COLUMN"), (3, "SCHEMA")
ALICE, TEAM, JOB = b"\x0a\x01", b"\x0a\x02", b"\x0a\x03"


def read(driver: Driver, server: SqlServer) -> tuple[AccountListing, AccountPrivileges]:
    with connect_through(driver, instance_at(server.host, server.port), LOGIN, PATIENT, Watchdog()) as probe:
        listing = probe.list_accounts()
        return listing, probe.read_privileges(listing)


def facts(privileges: AccountPrivileges, account: str) -> set[tuple[object, ...]]:
    chosen = [fact for fact in privileges.privileges if fact.account_name == account]
    return {(*fact[1:6], fact.privilege + "*" * fact.is_grantable, fact.origin, fact.effect, fact.traits) for fact in chosen}


def fill(server: SqlServer) -> None:
    """A login, a group and a job in one database, with roles, a contained and an orphaned user."""
    server.catalogue.add_database("shop")
    principals = server.catalogue.principals
    principals.add_server_principal(260, "alice", sid=ALICE)
    principals.add_server_principal(261, "CORP\\team", "G", sid=TEAM)
    principals.add_server_principal(262, "[job]", sid=JOB)
    principals.add_server_principal(263, "operators", "R")
    principals.add_server_member(3, 262)
    principals.add_server_member(263, 260)
    principals.permit_on_server(263, "VIEW SERVER STATE", "W")
    principals.permit_on_server(260, "CONTROL SERVER", "D")
    principals.permit_on_server(261, "IMPERSONATE", on_principal=262)
    for number, name, sid, kind, authentication in (
        (0, "public", None, "R", 0), (1, "dbo", b"\x01", "S", 1), (5, "al", ALICE, "S", 1), (6, "inside", b"\x77", "S", 2),
        (7, "lost", b"\x78", "S", 1), (8, "writers", b"\x79", "R", 0), (16384, "db_owner", b"\x7a", "R", 0),
        (16393, "db_denydatawriter", b"\x7b", "R", 0),
    ):  # fmt: skip
        principals.add_user("shop", number, name, sid, kind, authentication=authentication)
    principals.add_member("shop", 16384, 1)
    principals.add_member("shop", 8, 5)
    principals.add_schema("shop", 9, "sales", 5)
    principals.add_object("shop", 100, 9, "orders", columns=("id", "note"))
    principals.add_object("shop", 101, 9, "open_orders", kind="V ")
    principals.add_object("shop", 102, 9, "close_order", kind="P ")
    principals.permit("shop", 8, "SELECT", kind=OBJECT, on=100)
    principals.permit("shop", 8, "UPDATE", "D", kind=OBJECT, on=100, column=2)
    principals.permit("shop", 6, "SELECT", kind=OBJECT, on=101)
    principals.permit("shop", 6, "EXECUTE", "W", kind=OBJECT, on=102)
    principals.permit("shop", 5, "INSERT", kind=SCHEMA, on=9)
    principals.permit("shop", 5, "CONNECT")
    server.catalogue.trust("shop", JOB)


def test_users_are_logins_and_the_rest_are_accounts_of_their_database(driver: Driver, server: SqlServer) -> None:
    fill(server)
    listing, privileges = read(driver, server)
    accounts = {account.account_name: account for account in listing.accounts}
    kinds = {name: (account.account_kind, account.attributes.can_login, account.database_name) for name, account in accounts.items()}
    assert kinds == {
        "sa": ("user", False, None),
        "public": ("role", False, None),
        "sysadmin": ("role", False, None),
        "securityadmin": ("role", False, None),
        "alice": ("user", True, None),
        "CORP\\team": ("group", True, None),
        "[[job]]]": ("user", True, None),
        "operators": ("role", False, None),
        "[shop].[public]": ("role", False, "shop"),
        "[shop].[inside]": ("user", True, "shop"),
        "[shop].[lost]": ("user", False, "shop"),
        "[shop].[writers]": ("role", False, "shop"),
        "[shop].[db_owner]": ("role", False, "shop"),
        "[shop].[db_denydatawriter]": ("role", False, "shop"),
    }
    assert [name for name, account in accounts.items() if account.is_everyone] == ["public", "[shop].[public]"]
    assert {name for name, account in accounts.items() if account.attributes.is_superuser} == {"sa", "sysadmin", "[[job]]]"}
    assert accounts["[shop].[lost]"].attributes.others == {"is_orphaned": True}
    assert accounts["alice"].native_id == ALICE.hex()
    assert {(edge.member_name, edge.role_name) for edge in privileges.memberships} == {
        ("[[job]]]", "sysadmin"), ("alice", "operators"), ("sa", "[shop].[db_owner]"), ("alice", "[shop].[writers]"),
    }  # fmt: skip


def test_permissions_are_granted_and_denied_on_every_scope(driver: Driver, server: SqlServer) -> None:
    fill(server)
    _, privileges = read(driver, server)
    assert facts(privileges, "operators") == {("server", None, None, None, None, "VIEW SERVER STATE*", "grant", "grant", "")}
    assert facts(privileges, "CORP\\team") == {("account", None, None, "[[job]]]", None, "IMPERSONATE", "grant", "grant", "")}
    assert facts(privileges, "alice") == {
        ("server", None, None, None, None, "CONTROL SERVER", "grant", "deny", ""),
        ("schema", "shop", "sales", None, None, "INSERT", "grant", "grant", ""),
        ("schema", "shop", "sales", None, None, "OWNER", "ownership", "grant", ""),
        ("database", "shop", None, None, None, "CONNECT", "grant", "grant", ""),
    }
    assert facts(privileges, "[[job]]]") == {("database", "shop", None, None, None, "OWNER", "ownership", "grant", "trustworthy")}
    assert facts(privileges, "[shop].[writers]") == {
        ("table", "shop", "sales", "orders", None, "SELECT", "grant", "grant", ""),
        ("column", "shop", "sales", "orders", "note", "UPDATE", "grant", "deny", ""),
    }
    assert facts(privileges, "[shop].[inside]") == {
        ("table", "shop", "sales", "open_orders", None, "SELECT", "grant", "grant", "view"),
        ("routine", "shop", "sales", "close_order", None, "EXECUTE*", "grant", "grant", ""),
    }
    assert facts(privileges, "sysadmin") == {("server", None, None, None, None, "CONTROL SERVER", "built_in", "grant", "")}
    assert facts(privileges, "[shop].[db_owner]") == {("database", "shop", None, None, None, "CONTROL", "built_in", "grant", "")}
    denied = {fact[5:8] for fact in facts(privileges, "[shop].[db_denydatawriter]")}
    assert denied == {(name, "built_in", "deny") for name in ("INSERT", "UPDATE", "DELETE")}
    assert privileges.unread == []


def test_databases_that_are_closed_or_refuse_the_login_are_unread(driver: Driver) -> None:
    with new_server("VIEW ANY DEFINITION") as server:
        fill(server)
        listing, privileges = read(driver, server)
        assert {gap.database_name for gap in listing.unread} == {"shop", "master", "tempdb", "model", "msdb"}
        (gap,) = [gap for gap in privileges.unread if gap.database_name == "shop"]
        assert (gap.reason, gap.cure) == (Reason.NO_PERMISSION, f"GRANT CONNECT ANY DATABASE TO [{LOGIN.username}];")
        assert "[shop].[writers]" not in {account.account_name for account in listing.accounts}
        server.catalogue.grant(LOGIN.username, "CONNECT ANY DATABASE")
        server.catalogue.add_database("closed", state="RESTORING")
        _, privileges = read(driver, server)
    assert [(gap.database_name, gap.reason) for gap in privileges.unread] == [("closed", Reason.UNAVAILABLE)]


def test_a_login_that_may_read_nothing_is_told_the_grant(driver: Driver) -> None:
    with new_server("CONNECT ANY DATABASE") as server, pytest.raises(SizesError, match="GRANT VIEW ANY DEFINITION TO") as caught:
        read(driver, server)
    assert caught.value.reason == Reason.NO_PERMISSION
