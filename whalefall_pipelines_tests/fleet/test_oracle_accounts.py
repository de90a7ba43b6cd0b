"""The accounts of the Oracle for tests: users, nested roles, PUBLIC, administrators, and what stays unread without its view."""

from collections.abc import Generator
from datetime import UTC, datetime

import pytest

pytest.importorskip("oracledb")

from whalefall_pipelines.domain.accounts import AccountListing, AccountPrivileges
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.accounts import AccountsProbe
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.oracle.accounts import connect
from whalefall_pipelines_tests.servers.oracle import targets
from whalefall_pipelines_tests.servers.oracle.accounts import ACCOUNTS
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.oracle.targets import LOGIN, instance_at
from whalefall_pipelines_tests.servers.probes import PATIENT

pytestmark = pytest.mark.process
leftovers, server = targets.leftovers, targets.server
ROWS = {
    "dba_users": [
        ("SYS", 0, "OPEN", None, None, "PASSWORD", "DEFAULT", "YES", "Y"),
        ("SHOP", 90, "OPEN", "2027-01-01 08:00:00", "2026-11-28 01:00:00", "PASSWORD", "APP", "NO", "N"),
        ("OLD", 91, "EXPIRED & LOCKED", None, None, "PASSWORD", "DEFAULT", "NO", "N"),
        ("late's", 92, "EXPIRED(GRACE)", None, None, "EXTERNAL", "DEFAULT", "NO", "N"),
        ("CHIEF", 93, "OPEN", None, None, "PASSWORD", "DEFAULT", "NO", "N"),
    ],
    "dba_roles": [("DBA", "NONE", "YES", "Y"), ("WRITERS", "PASSWORD", "NO", "N"), ("READERS", "NONE", "NO", "N")],
    "dba_role_privs": [
        ("CHIEF", "DBA", "NO", "YES"), ("SHOP", "WRITERS", "YES", "NO"), ("WRITERS", "READERS", "NO", "YES"),
        ("GONE", "READERS", "NO", "YES"),
    ],
    "dba_sys_privs": [("WRITERS", "SELECT ANY TABLE", "YES"), ("PUBLIC", "CREATE SESSION", "NO"), ("GONE", "ALTER SYSTEM", "NO")],
    "dba_tab_privs": [
        ("READERS", "SHOP", "ORDERS", "SHOP", "SELECT", "NO", "TABLE"), ("READERS", "SHOP", "OPEN_ORDERS", "SHOP", "SELECT", "YES", "VIEW"),
        ("late's", "SHOP", "CLOSE", "SHOP", "EXECUTE", "NO", "PROCEDURE"), ("PUBLIC", "SYS", "UTL_HTTP", "SYS", "EXECUTE", "NO", "PACKAGE"),
        ("DBA", "SYS", "ITS_OWN", "SYS", "SELECT", "NO", "TABLE"), ("PUBLIC", "SYS", "SHOP", "SHOP", "INHERIT PRIVILEGES", "NO", "USER"),
    ],
    "dba_col_privs": [("READERS", "SHOP", "ORDERS", "NOTE", "SHOP", "UPDATE", "NO")],
    "dba_proxies": [("SHOP", "CHIEF")],
    '"v_$pwfile_users"': [("SYS", "TRUE", "TRUE", "FALSE", "FALSE", "FALSE"), ("CHIEF", "FALSE", "TRUE", "FALSE", "FALSE", "FALSE")],
}  # fmt: skip


@pytest.fixture
def filled(server: OracleServer) -> OracleServer:
    for table, rows in ROWS.items():
        for row in rows:
            server.double.run(f"insert into sys.{table} values ({', '.join('?' * len(row))})", *row)
    return server


@pytest.fixture
def probe(filled: OracleServer) -> Generator[AccountsProbe]:
    with connect(instance_at(filled.host, filled.port), LOGIN, PATIENT, Watchdog()) as opened:
        yield opened


def read(probe: AccountsProbe) -> tuple[AccountListing, AccountPrivileges]:
    listing = probe.list_accounts()
    return listing, probe.read_privileges(listing)


def facts(privileges: AccountPrivileges, account: str) -> set[tuple[object, ...]]:
    chosen = [fact for fact in privileges.privileges if fact.account_name == account]
    return {(fact.scope, *fact[3:6], fact.privilege + "*" * fact.is_grantable, fact.origin, fact.traits) for fact in chosen}


def test_users_roles_and_public(probe: AccountsProbe) -> None:
    listing, privileges = read(probe)
    accounts = {account.account_name: account for account in listing.accounts}
    assert {name: str(account.account_kind) for name, account in accounts.items()} == {
        **dict.fromkeys(("SYS", "SHOP", "OLD", "late's", "CHIEF"), "user"),
        **dict.fromkeys(("DBA", "WRITERS", "READERS", "PUBLIC"), "role"),
    }
    shop = accounts["SHOP"]
    assert (shop.native_id, shop.last_login_at) == ("90", datetime(2026, 11, 28, 1, tzinfo=UTC))
    assert shop.attributes.password_expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert [accounts[name].attributes.is_locked for name in ("SHOP", "OLD", "late's")] == [False, True, False]
    assert [accounts[name].attributes.is_password_expired for name in ("SHOP", "OLD", "late's")] == [False, True, False]
    assert {name for name, account in accounts.items() if account.attributes.is_superuser} == {"SYS", "CHIEF", "DBA"}
    assert {name for name, account in accounts.items() if account.is_built_in} == {"SYS", "DBA", "PUBLIC"}
    assert [name for name, account in accounts.items() if account.is_everyone] == ["PUBLIC"]
    assert {edge[:6] for edge in privileges.memberships} == {
        ("CHIEF", "DBA", True, True, False, True),
        ("SHOP", "WRITERS", True, True, True, False),
        ("WRITERS", "READERS", True, True, False, True),
    }


def test_privileges_of_every_scope(probe: AccountsProbe) -> None:
    _, privileges = read(probe)
    assert facts(privileges, "WRITERS") == {("server", None, None, None, "SELECT ANY TABLE*", "grant", "")}
    assert facts(privileges, "READERS") == {
        ("table", "SHOP", "ORDERS", None, "SELECT", "grant", ""),
        ("table", "SHOP", "OPEN_ORDERS", None, "SELECT*", "grant", "view"),
        ("column", "SHOP", "ORDERS", "NOTE", "UPDATE", "grant", ""),
    }
    assert facts(privileges, "SHOP") == {
        ("schema", "SHOP", None, None, "OWNER", "ownership", ""),
        ("account", None, "CHIEF", None, "PROXY", "grant", ""),
    }
    assert facts(privileges, "late's") == {
        ("schema", "late's", None, None, "OWNER", "ownership", ""),
        ("routine", "SHOP", "CLOSE", None, "EXECUTE", "grant", "procedure"),
    }
    assert facts(privileges, "PUBLIC") == {
        ("server", None, None, None, "CREATE SESSION", "grant", ""),
        ("routine", "SYS", "UTL_HTTP", None, "EXECUTE", "grant", ""),
        ("account", None, "SHOP", None, "INHERIT PRIVILEGES", "grant", ""),
    }
    assert facts(privileges, "DBA") == set()
    assert ("server", None, None, None, "SYSOPER", "grant", "") in facts(privileges, "CHIEF")
    assert privileges.unread == []


def test_a_view_that_may_not_be_read_is_an_unread_scope_with_its_cure(filled: OracleServer) -> None:
    filled.double.revoke("dba_tab_privs", "v_$pwfile_users")
    with connect(instance_at(filled.host, filled.port), LOGIN, PATIENT, Watchdog()) as probe:
        _, privileges = read(probe)
        missing = {privilege.purpose for privilege in probe.privileges() if not privilege.is_held}
    assert [(gap.scope, gap.attribute, gap.cure) for gap in privileges.unread] == [
        (None, None, 'GRANT SELECT ON sys.dba_tab_privs TO "WHALEFALL";'),
        (None, "administrator", 'GRANT SELECT ON sys.v_$pwfile_users TO "WHALEFALL";'),
    ]
    assert missing == {"read privileges", "see administrators in the password file"}


def test_a_login_that_may_read_nothing_is_told_the_grants(filled: OracleServer) -> None:
    filled.double.revoke(*ACCOUNTS)
    with (
        connect(instance_at(filled.host, filled.port), LOGIN, PATIENT, Watchdog()) as probe,
        pytest.raises(SizesError, match=r"GRANT SELECT ON sys\.dba_users TO") as caught,
    ):
        read(probe)
    assert caught.value.reason is Reason.NO_PERMISSION
