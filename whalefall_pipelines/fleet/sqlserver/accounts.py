"""Accounts of SQL Server 2014 and later: two statements for the server's own, and four for every hundred databases.

No real SQL Server was ever at hand: statements and their logic are tested against the server in
`whalefall_pipelines_tests/servers/sqlserver/`, whose catalogue is as Microsoft documents it.

The login needs VIEW ANY DEFINITION, and CONNECT ANY DATABASE for what is inside databases. Members of Windows groups are known to nobody
here: the group is the account. `account_facts.py` turns rows into facts.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from whalefall_pipelines.domain.accounts import (
    Account,
    AccountListing,
    AccountMembership,
    AccountMethod,
    AccountPrivilege,
    AccountPrivileges,
    UnreadScope,
)
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.accounts import AccountsProbe
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.names import storable
from whalefall_pipelines.fleet.probe import Deadlines, Privilege
from whalefall_pipelines.fleet.sqlserver import account_facts as facts
from whalefall_pipelines.fleet.sqlserver.account_facts import DatabasePrincipal, Principals, ServerPrincipal, text_of
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines.fleet.sqlserver.probe import SqlServerProbe, best_driver, opened_connection
from whalefall_pipelines.fleet.sqlserver.statements import is_sendable, quoted, statement, union

# So many databases answer by one statement: SQL Server takes 2,100 parameters, and plans long unions slowly.
_UNION = 100
_Row = tuple[Any, ...]


class SqlServerAccounts(SqlServerProbe):
    """An open connection that reads accounts. The second phase is about the principals of the first."""

    _principals = Principals()

    def privileges(self) -> Sequence[Privilege]:
        """VIEW ANY DEFINITION, and CONNECT ANY DATABASE where it can be granted."""
        server = self._server
        inside = "read users and privileges inside every database"
        return (
            Privilege("list accounts and privileges", server.grant_files, is_held=bool(server.sees_files)),
            *(
                ()
                if server.is_on_rds
                else (Privilege(inside, server.grant_entry(""), is_held=bool(server.connects_anywhere), is_optional=True),)
            ),
        )

    def list_accounts(self) -> AccountListing:
        """Logins and server roles, and what has no login inside each database that lets this one in."""
        self._require_sight()
        self._principals = Principals()
        accounts = [self._login(ServerPrincipal(*row)) for row in self._select("list_logins")]
        unread: list[UnreadScope] = []
        for row in self._inside("list_database_principals", self._enterable(unread), unread):
            accounts += self._principal(DatabasePrincipal(*row))
        return AccountListing(accounts, AccountMethod.SYS_CATALOG, unread)

    def read_privileges(self, listing: AccountListing) -> AccountPrivileges:
        """Memberships, permissions and owners, of the server and of each database whose principals were listed."""
        unread = [gap for gap in listing.unread if gap.attribute is None]
        memberships = list(self._memberships_of_server())
        privileges = [fact for account in listing.accounts for fact in facts.built_in_facts(account)]
        privileges += [*self._server_facts(), *self._database_owners()]
        names = list(self._principals.of_database)
        for row in self._inside("list_database_role_members", names, unread):
            database, member, role = row
            memberships += self._edge(self._principals.of_database[database], member, role)
        for row in self._inside("list_database_permissions", names, unread):
            privileges += _some(facts.database_fact(row, self._principals))
        for row in self._inside("list_schema_owners", names, unread):
            privileges += _some(facts.owner_of_schema(row, self._principals))
        # Views show fewer rows without the privilege, and no error: a privilege that was revoked meanwhile would look like a revoke of all.
        self._server = self._read_server()
        self._require_sight()
        return AccountPrivileges(memberships, privileges, unread=list(dict.fromkeys(unread)))

    def _require_sight(self) -> None:
        self._require(self._server.grant_files, "shows this login only some of its accounts", is_held=self._server.sees_files)

    def _select(self, name: str) -> list[_Row]:
        return [tuple(row) for row in self._rows(*statement(f"probes/sqlserver/{name}", {}))]

    def _login(self, login: ServerPrincipal) -> Account:
        account = login.account
        self._principals.of_server[login.principal_id] = account.account_name
        if login.sid is not None:
            self._principals.by_sid[bytes(login.sid)] = account.account_name
        return account

    def _principal(self, principal: DatabasePrincipal) -> list[Account]:
        """The account of a principal; none of a user that is a login."""
        names = self._principals.of_database.setdefault(principal.database_name, {})
        login = None if principal.sid is None or principal.type.strip() == "R" else self._principals.by_sid.get(bytes(principal.sid))
        account = principal.account
        names[principal.principal_id] = login or account.account_name
        return [] if login else [account]

    def _enterable(self, unread: list[UnreadScope]) -> list[str]:
        """The databases that let this login in; the others are unread."""
        names: list[str] = []
        for name_bytes, _, _, is_online, may_enter in self._select("list_account_databases"):
            name = text_of(name_bytes)
            if may_enter and is_sendable(name):
                names.append(name)
            else:
                unread.append(self._gap(name, is_online=bool(is_online)))
        return names

    def _gap(self, name: str, *, is_online: bool) -> UnreadScope:
        if not is_sendable(name):
            return UnreadScope(Reason.INCOMPLETE, "drivers cannot query a database with this name; rename it", database_name=storable(name))
        if not is_online:
            return UnreadScope(Reason.UNAVAILABLE, "the database is not open", database_name=storable(name))
        cure = self._server.grant_entry(quoted(name))
        return UnreadScope(Reason.NO_PERMISSION, "the login may not connect to the database", database_name=storable(name), cure=cure)

    def _inside(self, name: str, databases: Sequence[str], unread: list[UnreadScope]) -> Generator[_Row]:
        """The rows of a statement in these databases, by one statement for a hundred; those that fail are unread."""
        for begin in range(0, len(databases), _UNION):
            yield from self._ask(name, databases[begin : begin + _UNION], unread)

    def _ask(self, name: str, databases: Sequence[str], unread: list[UnreadScope]) -> Generator[_Row]:
        try:
            rows = self._rows(*union(f"probes/sqlserver/{name}", databases))
        except SizesError as error:
            if self._watch.is_expired:
                raise
            if len(databases) > 1:
                half = len(databases) // 2
                yield from self._ask(name, databases[:half], unread)
                yield from self._ask(name, databases[half:], unread)
                return
            gap = self._gap(databases[0], is_online=True)
            forbidden = error.reason == Reason.NO_PERMISSION
            unread.append(gap if forbidden else replace(gap, reason=Reason(error.reason), detail=str(error), cure=None))
            return
        yield from (tuple(row) for row in rows)

    def _edge(self, names: dict[int, str], member: int, role: int) -> list[AccountMembership]:
        if member not in names or role not in names:
            return []
        return [AccountMembership(names[member], names[role], inherits=True, can_set=False, can_admin=False, is_default=True)]

    def _memberships_of_server(self) -> Generator[AccountMembership]:
        for member, role in self._select("list_server_role_members"):
            yield from self._edge(self._principals.of_server, member, role)

    def _server_facts(self) -> Generator[AccountPrivilege]:
        for row in self._select("list_server_permissions"):
            yield from _some(facts.server_fact(row, self._principals.of_server))

    def _database_owners(self) -> Generator[AccountPrivilege]:
        for name_bytes, owner_sid, is_trustworthy, *_ in self._select("list_account_databases"):
            owner = self._principals.by_sid.get(bytes(owner_sid or b""))
            if owner is not None:
                name = text_of(name_bytes)
                yield facts.owner_of_database(owner, name, is_trustworthy=bool(is_trustworthy))


def _some(fact: AccountPrivilege | None) -> tuple[AccountPrivilege, ...]:
    return () if fact is None else (fact,)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[AccountsProbe]:
    """Open a connection that reads accounts, through the best driver of this machine."""
    with connect_through(best_driver(instance), instance, login, deadlines, watchdog) as probe:
        yield probe


@contextmanager
def connect_through(
    driver: Driver, instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog
) -> Generator[SqlServerAccounts]:
    """Open a connection that reads accounts, through this driver."""
    with opened_connection(driver, instance, login, deadlines, watchdog) as (connection, watch):
        yield SqlServerAccounts(connection, instance, watch)
