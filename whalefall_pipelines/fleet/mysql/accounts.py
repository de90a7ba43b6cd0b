"""Accounts of MySQL 8 and later and of MariaDB, by a dozen statements whatever the number of accounts. SHOW GRANTS is never asked: it costs
one statement for each account, leaves out what an account has under other hosts, and prints hashes on MariaDB.

The login needs columns of mysql.user and a few tables (`account_grants.py`); what only columns with hashes tell comes through a view that a
DBA makes, and is unknown without it. What code runs with the rights of its definer is not read: it takes SHOW_ROUTINE.
`account_facts.py` turns rows into facts.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache, partial

from whalefall_pipelines.domain.accounts import (
    Account,
    AccountListing,
    AccountMembership,
    AccountMethod,
    AccountPrivilege,
    AccountPrivileges,
    Scope,
    UnreadScope,
)
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.accounts import AccountsProbe
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.mysql import account_facts as facts
from whalefall_pipelines.fleet.mysql.account_facts import Names, Place, Row, Value
from whalefall_pipelines.fleet.mysql.account_grants import create_view, grant_accounts, grant_table
from whalefall_pipelines.fleet.mysql.probe import MySQLProbe, opened_session
from whalefall_pipelines.fleet.mysql.session import MARIADB, MYSQL
from whalefall_pipelines.fleet.probe import Deadlines, Privilege

_ACCOUNTS = "probes/mysql/list_accounts_{family}"
_DETAILS = "probes/mysql/list_account_details_{family}"
# Each statement of phase two, the tables that it needs besides mysql.user, and the scope that stays unread without them.
_SHARED_STATEMENTS = (
    ("probes/mysql/list_schema_privileges_{family}", ("db",), Scope.DATABASE),
    ("probes/mysql/list_table_privileges", ("tables_priv",), Scope.TABLE),
    ("probes/mysql/list_column_privileges", ("columns_priv",), Scope.COLUMN),
    ("probes/mysql/list_routine_privileges", ("procs_priv",), Scope.ROUTINE),
    ("probes/mysql/list_proxies", ("proxies_priv",), Scope.ACCOUNT),
)
_STATEMENTS = {
    MYSQL: (
        *_SHARED_STATEMENTS,
        ("probes/mysql/list_memberships_mysql", ("role_edges", "default_roles"), Scope.MEMBERSHIP),
        ("probes/mysql/list_dynamic_privileges", ("global_grants",), Scope.SERVER),
    ),
    MARIADB: (*_SHARED_STATEMENTS, ("probes/mysql/list_memberships_mariadb", ("roles_mapping",), Scope.MEMBERSHIP)),
}
# What stays unknown without the view.
_UNKNOWN = {
    MYSQL: ("has_empty_password", "has_second_password", "restrictions"),
    MARIADB: ("is_locked", "has_empty_password", "password_changed_at", "password_expires_at", "administrative_privileges"),
}


class MySQLAccounts(MySQLProbe):
    """An open session that reads accounts."""

    def privileges(self) -> Sequence[Privilege]:
        """Columns of mysql.user, tables without hashes, and the view; each is asked for as the probe itself asks."""
        family, grantee = self._session.family, self._session.grantee
        tables = [table for query, tables, _ in _STATEMENTS[family] if not self._may(query) for table in tables]
        every_table = [table for _, tables, _ in _STATEMENTS[family] for table in tables]
        statement = " ".join(grant_table(table, grantee) for table in tables or every_table)
        return (
            Privilege("list accounts, without their hashes", grant_accounts(family.suffix, grantee), is_held=self._may(_ACCOUNTS)),
            Privilege("read privileges and roles", statement, is_held=not tables),
            Privilege(
                "see locks, password ages and other facts stored beside a hash",
                create_view(family.suffix, grantee),
                is_held=self._may(_DETAILS),
                is_optional=True,
            ),
        )

    def list_accounts(self) -> AccountListing:
        """Every account, with details where the view is."""
        try:
            rows = self._rows(_ACCOUNTS)
        except SizesError as error:
            if error.reason != Reason.NO_PERMISSION:
                raise
            grant = grant_accounts(self._session.family.suffix, self._session.grantee)
            sentence = f"MySQL at {self._instance.address} does not show its accounts to this login; run on that server: {grant}"
            raise SizesError(sentence, reason=Reason.NO_PERMISSION) from error
        everyone = facts.mandatory_roles(str(self._role_settings()[0] or ""))
        accounts = [facts.account(row, everyone) for row in rows]
        details = self._details()
        if details is None:
            return AccountListing(accounts, AccountMethod.MYSQL_TABLES, self._unknown())
        return AccountListing(self._with_details(accounts, details), AccountMethod.MYSQL_TABLES_AND_VIEW)

    def read_privileges(self, listing: AccountListing) -> AccountPrivileges:
        """Roles and privileges of the listed accounts, and what each table that may not be read would tell."""
        names = facts.names_of(listing.accounts)
        privileges = list(self._server_privileges(names))
        memberships: list[AccountMembership] = []
        unread: list[UnreadScope] = []
        for query, tables, scope in _STATEMENTS[self._session.family]:
            try:
                rows = self._rows(query)
            except SizesError as error:
                if error.reason != Reason.NO_PERMISSION:
                    raise
                cure = " ".join(grant_table(table, self._session.grantee) for table in tables)
                unread.append(UnreadScope(Reason.NO_PERMISSION, f"the login may not read {' and '.join(tables)}", scope, cure=cure))
                continue
            if scope is Scope.MEMBERSHIP:
                memberships += self._memberships(rows, names)
            else:
                privileges += self._facts(scope, rows, names)
        return AccountPrivileges(memberships, privileges, unread=unread)

    def _rows(self, query: str) -> Sequence[Row]:
        return self._session.rows(self._session.of_family(query))

    def _may(self, query: str) -> bool:
        try:
            self._rows(query)
        except SizesError as error:
            if error.reason not in {Reason.NO_PERMISSION, Reason.SERVER_ERROR}:
                raise
            return False
        return True

    def _details(self) -> Sequence[Row] | None:
        """The rows of the view; None where there is none, where it may not be read, or where it is another one."""
        try:
            return self._rows(_DETAILS)
        except SizesError as error:
            if error.reason not in {Reason.NO_PERMISSION, Reason.SERVER_ERROR}:
                raise
            return None

    def _with_details(self, accounts: Sequence[Account], details: Sequence[Row]) -> list[Account]:
        extend = facts.with_details_of_mariadb if self._session.family is MARIADB else facts.with_details_of_mysql
        rows = {facts.account_name(user, host): (user, host, *others) for user, host, *others in details}
        return [extend(account, rows[account.account_name]) if account.account_name in rows else account for account in accounts]

    def _unknown(self) -> list[UnreadScope]:
        cure = create_view(self._session.family.suffix, self._session.grantee)
        sentence = "it is stored beside a hash, so it can only be read through a view with definer rights"
        return [UnreadScope(Reason.NO_PERMISSION, sentence, attribute=name, cure=cure) for name in _UNKNOWN[self._session.family]]

    def _role_settings(self) -> Row:
        """MariaDB has no mandatory roles but PUBLIC, activates the default one, and has patterns."""
        return ("", 0, 0) if self._session.family is MARIADB else self._rows("probes/mysql/read_role_settings")[0]

    def _server_privileges(self, names: Names) -> Generator[AccountPrivilege]:
        place = Place(Scope.SERVER)
        for user, host, privileges in self._rows("probes/mysql/list_server_privileges_{family}"):
            if name := names.get(facts.key(user, host)):
                yield from facts.facts(name, place, privileges)
        for user, host, *_, last in self._details() or ():
            if name := names.get(facts.key(user, host)):
                is_mariadb = self._session.family is MARIADB
                yield from facts.facts(name, place, facts.privileges_of_bits(last)) if is_mariadb else facts.restrictions(name, last)

    def _memberships(self, rows: Sequence[Row], names: Names) -> Generator[AccountMembership]:
        """Rights of a role come with it once it is active; which is active at login is what default says."""
        all_are_active = bool(self._role_settings()[1])
        for user, host, role, role_host, can_admin, is_default in rows:
            member, role_name = names.get(facts.key(user, host)), names.get(facts.key(role, role_host))
            if member is not None and role_name is not None:
                yield AccountMembership(member, role_name, True, True, bool(can_admin), all_are_active or bool(is_default))  # noqa: FBT003 - in the order of the columns

    def _facts(self, scope: Scope, rows: Sequence[Row], names: Names) -> Generator[AccountPrivilege]:
        schema_place = cache(partial(facts.schema_place, is_literal=bool(self._role_settings()[2])))  # accounts share few schemas
        for user, host, *rest in rows:
            if name := names.get(facts.key(user, host)):
                yield from _facts_of_row(name, scope, rest, schema_place)


def _facts_of_row(name: str, scope: Scope, row: Sequence[Value], schema_place: Callable[[Value], Place]) -> Generator[AccountPrivilege]:
    match scope, row:
        case Scope.DATABASE, [pattern, privileges]:
            return facts.facts(name, schema_place(pattern), privileges)
        case Scope.COLUMN, [schema, table, column, privileges]:
            return facts.facts(name, Place(scope, schema, table, column), privileges)
        case Scope.TABLE, [schema, table, privileges, grantor]:
            return facts.facts(name, Place(scope, schema, table), privileges, grantor=grantor)
        case Scope.ROUTINE, [schema, routine, privileges, grantor, kind]:
            return facts.facts(name, Place(scope, schema, routine, traits=str(kind)), privileges, grantor=grantor)
        case Scope.ACCOUNT, [user, host, is_grantable, grantor]:
            place = Place(scope, object_name=facts.account_name(user, host))
            return facts.facts(name, place, "PROXY", grantor=grantor, is_grantable=is_grantable)
        case _, [privilege, is_grantable]:
            return facts.facts(name, Place(scope), privilege, is_grantable=is_grantable)
        case _:
            raise AssertionError(row)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[AccountsProbe]:
    """Open a session that reads accounts."""
    with opened_session(instance, login, deadlines, watchdog) as session:
        yield MySQLAccounts(session, instance)
