"""The accounts of a real MariaDB and a real MySQL: what is read with which grants, and what stays unread without."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pymysql
import pytest

from whalefall_pipelines.domain.accounts import Account, AccountListing, AccountPrivileges, UnreadScope
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.accounts import ACCOUNTS
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.mysql.account_facts import mandatory_roles, schema_place
from whalefall_pipelines.fleet.mysql.account_grants import USER_COLUMNS
from whalefall_pipelines.fleet.probe import Privilege
from whalefall_pipelines_tests.servers.mariadb import Target, new_name, quoted

pytestmark = pytest.mark.process
HASHES = {"authentication_string", "password", "user_attributes"}


@dataclass(frozen=True)
class Reading:
    """What one probe reads."""

    listing: AccountListing
    privileges: AccountPrivileges

    def account(self, name: str) -> Account:
        (account,) = [account for account in self.listing.accounts if account.account_name == name]
        return account

    def facts(self, account: str) -> set[tuple[object, ...]]:
        """Scope, database, object, column, privilege (with * if it may be granted on), effect, traits."""
        chosen = [fact for fact in self.privileges.privileges if fact.account_name == account]
        return {(*fact[1:3], *fact[4:6], fact.privilege + "*" * fact.is_grantable, fact.effect, fact.traits) for fact in chosen}

    def edges(self, *accounts: str) -> set[tuple[object, ...]]:
        """Member, role, can_admin, is_default."""
        edges = [edge for edge in self.privileges.memberships if edge.member_name in accounts]
        assert all((edge.inherits, edge.can_set, edge.database_name) == (True, True, None) for edge in edges)
        return {(edge.member_name, edge.role_name, edge.can_admin, edge.is_default) for edge in edges}

    def unread(self) -> Iterable[UnreadScope]:
        return [*self.listing.unread, *self.privileges.unread]


def privileges_of(target: Target, login: Login) -> Sequence[Privilege]:
    with ServerFleet().connect(ACCOUNTS, target.instance(), login) as probe:
        return probe.privileges()


def new_reader(target: Target, *, with_view: bool = False) -> Login:
    """A login with the printed grants and no others."""
    login = target.create_login("")
    for privilege in privileges_of(target, login):
        if with_view or not privilege.is_optional:
            target.ask(*privilege.statement.split("; "))
    return login


def read(target: Target, login: Login | None = None) -> Reading:
    with ServerFleet().connect(ACCOUNTS, target.instance(), login or new_reader(target)) as probe:
        listing = probe.list_accounts()
        return Reading(listing, probe.read_privileges(listing))


@contextmanager
def run(target: Target, *statements: str, undo: Sequence[str] = ()) -> Generator[None]:
    """Run statements as the administrator, and others at the end."""
    try:
        target.ask(*statements)
        yield
    finally:
        target.ask(*undo)


def dropping(*accounts: str) -> list[str]:
    return [f"drop user if exists {account}" for account in accounts]


def test_privileges_of_every_scope(target: Target) -> None:
    schema, user = target.create_schema(), new_name("user")
    account = f"{user}@%"
    with run(
        target,
        f"create table {schema}.orders (id int, note text)",
        f"create function {schema}.total() returns int deterministic return 1",
        f"create procedure {schema}.total() select 1",
        f"create user {user}",
        f"grant reload, process on *.* to {user}",
        f"grant select, create view on `{schema.replace('_', chr(92) + '_')}`.* to {user} with grant option",
        f"grant insert on `{schema}`.* to {user}",
        f"grant select, show view, trigger on {schema}.orders to {user}",
        f"grant update (note), select (id, note) on {schema}.orders to {user}",
        f"grant execute on function {schema}.total to {user}",
        f"grant alter routine on procedure {schema}.total to {user} with grant option",
        undo=dropping(user),
    ):
        reading = read(target)
    assert reading.facts(account) == {
        ("server", None, None, None, "RELOAD", "grant", ""),
        ("server", None, None, None, "PROCESS", "grant", ""),
        ("database", schema, None, None, "SELECT*", "grant", ""),
        ("database", schema, None, None, "CREATE VIEW*", "grant", ""),
        ("database", schema, None, None, "GRANT OPTION*", "grant", ""),
        ("database", schema, None, None, "INSERT", "grant", "pattern"),
        ("table", schema, "orders", None, "SELECT", "grant", ""),
        ("table", schema, "orders", None, "SHOW VIEW", "grant", ""),
        ("table", schema, "orders", None, "TRIGGER", "grant", ""),
        ("column", schema, "orders", "note", "UPDATE", "grant", ""),
        ("column", schema, "orders", "note", "SELECT", "grant", ""),
        ("column", schema, "orders", "id", "SELECT", "grant", ""),
        ("routine", schema, "total", None, "EXECUTE", "grant", "function"),
        ("routine", schema, "total", None, "ALTER ROUTINE*", "grant", "procedure"),
        ("routine", schema, "total", None, "GRANT OPTION*", "grant", "procedure"),
    }
    assert reading.privileges.unread == []
    assert len(set(reading.privileges.privileges)) == len(reading.privileges.privileges)


def test_accounts_are_told_apart(target: Target) -> None:
    user, role = new_name("user"), new_name("role")
    accounts = [f"'{user}'@'localhost'", f"'{user}'@'10.%'", "''@'10.0.0.1'", f"'{user}'@'10.0.0.0/255.0.0.0'"]
    statements = [f"create user {account}" for account in accounts]
    with run(
        target, *statements, f"create role {role}", f"grant all privileges on *.* to {accounts[0]}",
        undo=[*dropping(*accounts), f"drop role {role}"],
    ):  # fmt: skip
        reading = read(target)
    kinds = {account.account_name: account.account_kind for account in reading.listing.accounts}
    role_name = role if target.family == "mariadb" else f"{role}@%"
    assert [kinds[name] for name in (f"{user}@localhost", f"{user}@10.%", f"{user}@10.0.0.0/255.0.0.0")] == ["user"] * 3
    assert (kinds["@10.0.0.1"], kinds[role_name]) == ("anonymous", "role")
    assert (reading.account(role_name).attributes.can_login, reading.account(f"{user}@10.%").attributes.can_login) == (False, True)
    assert [reading.account(f"{user}@{host}").attributes.is_superuser for host in ("localhost", "10.%")] == [True, False]
    assert {"user": user, "host": "10.%"}.items() <= reading.account(f"{user}@10.%").attributes.others.items()
    built_in = "mariadb.sys@localhost" if target.family == "mariadb" else "mysql.session@localhost"
    assert (reading.account(built_in).is_built_in, reading.account("root@localhost").is_built_in) == (True, False)


def test_roles_nest_and_only_default_ones_are_active(target: Target) -> None:
    user, active, other, top = (new_name("role") for _ in range(4))
    default = f"set default role {active} {'for' if target.family == 'mariadb' else 'to'} {user}"
    with run(
        target, f"create user {user}", f"create role {active}", f"create role {other}", f"create role {top}",
        f"grant {active} to {user} with admin option", f"grant {other} to {user}", f"grant {top} to {active}", default,
        f"grant select on *.* to {top}",
        undo=[*dropping(user), *(f"drop role {role}" for role in (active, other, top))],
    ):  # fmt: skip
        reading = read(target)
    host = "" if target.family == "mariadb" else "@%"
    assert reading.edges(f"{user}@%", active + host, top + host) == {
        (f"{user}@%", active + host, True, True),
        (f"{user}@%", other + host, False, False),
        (active + host, top + host, False, False),
    }
    assert reading.facts(top + host) == {("server", None, None, None, "SELECT", "grant", "")}


def test_public_of_mariadb_is_everybody(maria: Target) -> None:
    schema = maria.create_schema()
    with run(maria, f"grant select on {schema}.* to public", undo=[f"revoke select on {schema}.* from public"]):
        reading = read(maria)
    assert [account.account_name for account in reading.listing.accounts if account.is_everyone] == ["PUBLIC"]
    assert ("database", schema, None, None, "SELECT", "grant", "pattern") in reading.facts("PUBLIC")


def test_mandatory_roles_of_mysql_are_everybodys_and_all_roles_may_be_active(mysql: Target) -> None:
    user, role, granted = (new_name("role") for _ in range(3))
    with run(
        mysql, f"create role {role}, {granted}", f"create user {user}", f"grant {granted} to {user}",
        f"set global mandatory_roles = '`{role}`@`%`'", "set global activate_all_roles_on_login = on",
        undo=["set global mandatory_roles = ''", "set global activate_all_roles_on_login = off", f"drop role {role}, {granted}",
              f"drop user {user}"],
    ):  # fmt: skip
        reading = read(mysql)
    assert [account.account_name for account in reading.listing.accounts if account.is_everyone] == [f"{role}@%"]
    assert reading.edges(f"{user}@%") == {(f"{user}@%", f"{granted}@%", False, True)}


def test_dynamic_privileges_proxies_and_partial_revokes_of_mysql(mysql: Target) -> None:
    user, other, schema = new_name("user"), new_name("user"), mysql.create_schema()
    with run(
        mysql, f"create user {user}, {other}", f"grant backup_admin on *.* to {user} with grant option",
        f"grant role_admin on *.* to {user}",
        "set global partial_revokes = on", f"grant select, insert on *.* to {user}", f"revoke insert on {schema}.* from {user}",
        f"grant update on `app\\_%`.* to {user}", f"grant proxy on {other} to {user} with grant option",
        undo=[*dropping(user, other), "set global partial_revokes = off"],
    ):  # fmt: skip
        without, reading = read(mysql), read(mysql, new_reader(mysql, with_view=True))
    facts = {  # WITH GRANT OPTION of a dynamic privilege is one of all static ones, too
        ("server", None, None, None, "SELECT*", "grant", ""),
        ("server", None, None, None, "INSERT*", "grant", ""),
        ("server", None, None, None, "GRANT OPTION*", "grant", ""),
        ("server", None, None, None, "BACKUP_ADMIN*", "grant", ""),
        ("server", None, None, None, "ROLE_ADMIN", "grant", ""),
        ("database", r"app\_%", None, None, "UPDATE", "grant", ""),
        ("account", None, f"{other}@%", None, "PROXY*", "grant", ""),
    }
    assert without.facts(f"{user}@%") == facts
    assert "restrictions" in {gap.attribute for gap in without.unread()}
    assert reading.facts(f"{user}@%") == facts | {("database", schema, None, None, "INSERT", "revoke", "")}
    assert list(reading.unread()) == []


def test_administrative_privileges_of_mariadb_are_in_the_view_alone(maria: Target) -> None:
    user = new_name("user")
    names = ("SET USER", "FEDERATED ADMIN", "CONNECTION ADMIN", "READ_ONLY ADMIN", "REPLICATION SLAVE ADMIN", "REPLICATION MASTER ADMIN",
             "BINLOG ADMIN", "BINLOG REPLAY", "SLAVE MONITOR")  # fmt: skip
    with run(maria, f"create user {user}", f"grant {', '.join(names)} on *.* to {user}", undo=dropping(user)):
        without, reading = read(maria), read(maria, new_reader(maria, with_view=True))
    assert without.facts(f"{user}@%") == set()
    assert "administrative_privileges" in {gap.attribute for gap in without.unread()}
    assert reading.facts(f"{user}@%") == {("server", None, None, None, name, "grant", "") for name in names}


def test_states_of_passwords(target: Target) -> None:
    locked, expired, empty, aged = (new_name("user") for _ in range(4))
    with run(
        target,
        f"create user {locked} identified by 'of locked' account lock",
        f"create user {expired} identified by 'of expired' password expire",
        f"create user {empty}",
        f"create user {aged} identified by 'of aged' password expire interval 30 day",
        undo=dropping(locked, expired, empty, aged),
    ):
        without, reading = read(target), read(target, new_reader(target, with_view=True))
    attributes = {name: reading.account(f"{name}@%").attributes for name in (locked, expired, empty, aged)}
    assert [attributes[name].is_locked for name in (locked, expired, empty)] == [True, False, False]
    assert [attributes[name].is_password_expired for name in (locked, expired, empty)] == [False, True, False]
    assert [attributes[name].has_empty_password for name in (locked, expired, empty)] == [False, False, True]
    changed_at, expires_at = attributes[aged].password_changed_at, attributes[aged].password_expires_at
    assert changed_at
    assert abs(changed_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert expires_at == changed_at + timedelta(days=30)
    assert attributes[locked].password_expires_at is None
    assert list(reading.unread()) == []
    assert without.account(f"{empty}@%").attributes.has_empty_password is None
    assert without.account(f"{locked}@%").attributes.is_locked is (None if target.family == "mariadb" else True)
    unknown = {gap.attribute for gap in without.unread()}
    assert {"has_empty_password"} | ({"is_locked"} if target.family == "mariadb" else set()) <= unknown


def test_the_printed_grants_are_enough_and_show_no_hash(target: Target) -> None:
    """The grants name every column of mysql.user but those with a hash, so that a server with a new column fails this test."""
    listed = target.ask("select column_name from information_schema.columns where table_schema = 'mysql' and table_name = 'user'")
    columns = {str(name).lower() for (name,) in listed}
    assert {name.lower() for name in USER_COLUMNS[target.family]} == columns - HASHES
    assert len(USER_COLUMNS[target.family]) == {"mysql": 49, "mariadb": 45}[target.family]
    login = new_reader(target, with_view=True)
    assert all(privilege.is_held for privilege in privileges_of(target, login))
    before = _writes(target)
    reading = read(target, login)
    assert list(reading.unread()) == []
    assert _writes(target) == before
    secret = target.ask("select authentication_string from mysql.user where authentication_string <> ''")
    assert secret
    assert not any(str(value) in repr(reading) for (value,) in secret)
    connection = pymysql.connect(host=target.host, port=target.port, user=login.username, password=(login.password or "").encode())
    refused = [
        "select * from mysql.user",
        "select authentication_string from mysql.user",
        "select user from mysql.user where authentication_string like '*%'",
        "select Priv from mysql.global_priv" if target.family == "mariadb" else "select User_attributes from mysql.user",
        "insert into mysql.db (user) values ('x')",
        "create table whalefall_monitor.written (x int)",
    ]
    with connection, connection.cursor() as cursor:
        for statement in refused:
            with pytest.raises(pymysql.OperationalError, match="denied"):
                cursor.execute(statement)
        cursor.execute("select * from whalefall_monitor.accounts")
        assert not any(str(value) in repr(cursor.fetchall()) for (value,) in secret)


def _writes(target: Target) -> list[tuple[object, ...]]:
    """How many writing statements the server has executed."""
    return target.ask("show global status where variable_name regexp '^(Com_(insert|update|delete|create.*|drop.*|alter.*|grant|revoke))$'")


def test_a_login_that_may_read_nothing_is_told_the_grant(target: Target) -> None:
    login = target.create_login("")
    with (
        ServerFleet().connect(ACCOUNTS, target.instance(), login) as probe,
        pytest.raises(SizesError, match="does not show its accounts to this login") as caught,
    ):
        probe.list_accounts()
    assert caught.value.reason is Reason.NO_PERMISSION
    assert str(caught.value).endswith(f"ON mysql.user TO {target.account(login)};")
    assert [privilege.is_held for privilege in privileges_of(target, login)] == [False] * 3


def test_a_table_that_may_not_be_read_is_an_unread_scope_with_its_cure(target: Target) -> None:
    login = new_reader(target)
    target.ask(f"revoke select on mysql.procs_priv from {target.account(login)}")
    reading = read(target, login)
    (gap,) = reading.privileges.unread
    assert (gap.scope, gap.reason, gap.database_name) == ("routine", Reason.NO_PERMISSION, None)
    assert gap.cure in {privilege.statement for privilege in privileges_of(target, login) if not privilege.is_held}
    target.ask(str(gap.cure))
    assert read(target, login).privileges.unread == []


NAMES = ("it's", 'say "no"', "100%s %(x)s", "a@b", "Ünïcode", "数据🐋"[:2], "x" * 32, "back\\slash", "`tick`", "UPPER", "null")


def test_hostile_names_arrive_unchanged(target: Target) -> None:
    schema = target.create_schema()
    escape = pymysql.converters.escape_string
    accounts = [f"'{escape(name)}'@'10.1.%'" for name in NAMES]
    statements = [statement for name, account in zip(NAMES, accounts, strict=True) for statement in (
        f"create user {account}", f"create table {schema}.{quoted(name.strip())} ({quoted(name.strip())} int)",
        f"grant select ({quoted(name.strip())}) on {schema}.{quoted(name.strip())} to {account}",
    )]  # fmt: skip
    with run(target, *statements, undo=dropping(*accounts)):
        reading = read(target)
    for name in NAMES:
        account, word = f"{name}@10.1.%", name.strip()
        assert reading.account(account).attributes.others["user"] == name
        assert {(*fact[:2], str(fact[2]).lower(), *fact[3:]) for fact in reading.facts(account)} == {
            ("column", schema, word.lower(), word, "SELECT", "grant", "")
        }


def test_an_account_that_is_dropped_between_the_phases_has_no_facts(target: Target) -> None:
    user, created, schema = new_name("user"), new_name("user"), target.create_schema()
    grants = "grant select on {0}.* to {1}".format
    with (
        run(target, f"create user {user}", grants(schema, user), undo=dropping(user, created)),
        ServerFleet().connect(ACCOUNTS, target.instance(), new_reader(target)) as probe,
    ):
        listing = probe.list_accounts()
        target.ask(f"drop user {user}", f"create user {created}", grants(schema, created))
        privileges = probe.read_privileges(listing)
    assert {fact.account_name for fact in privileges.privileges} <= {account.account_name for account in listing.accounts} - {f"{user}@%"}


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("", set()),
        ("role", {("role", "%")}),
        ("role1,`r,2`@`LOCALHOST`, 'it''s'@'10.%'", {("role1", "%"), ("r,2", "localhost"), ("it's", "10.%")}),
    ],
)
def test_mandatory_roles_are_parsed(text: str, roles: set[tuple[str, str]]) -> None:
    assert mandatory_roles(text) == roles


@pytest.mark.parametrize(
    ("pattern", "is_literal", "schema", "traits"),
    [
        ("app", False, "app", ""),
        (r"app\_one", False, "app_one", ""),
        ("app_one", False, "app_one", "pattern"),
        (r"app\_%", False, r"app\_%", "pattern"),
        (r"app\_%", True, r"app\_%", ""),
        ("%", False, "%", "pattern"),
    ],
)
def test_schemas_are_patterns_or_names(pattern: str, is_literal: bool, schema: str, traits: str) -> None:
    place = schema_place(pattern, is_literal=is_literal)
    assert (place.schema, place.traits) == (schema, traits)
