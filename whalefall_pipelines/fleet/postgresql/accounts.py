"""Accounts of PostgreSQL 15 to 18: catalogues that everybody may read, three statements for the server and one in each database.

The login needs nothing for accounts, memberships and what belongs to the server, and CONNECT on a database for what is inside (PUBLIC has
it unless it was revoked). Never pg_read_all_data: it reads the hashes. What is in a database that cannot be entered is counted by
`pg_shdepend`. template0 and others that accept no connections can be used by nobody, and are left out.
"""

import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import cast

from whalefall_pipelines.domain.accounts import (
    Account,
    AccountAttributes,
    AccountKind,
    AccountListing,
    AccountMembership,
    AccountMethod,
    AccountPrivilege,
    AccountPrivileges,
    AccountReach,
    Effect,
    Origin,
    Scope,
    UnreadScope,
)
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import TargetError
from whalefall_pipelines.fleet.accounts import AccountsProbe
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.postgresql.connection import Session
from whalefall_pipelines.fleet.postgresql.databases import OtherDatabases
from whalefall_pipelines.fleet.postgresql.names import decode_name, is_utf8
from whalefall_pipelines.fleet.postgresql.probe import PostgresProbe, opened_session
from whalefall_pipelines.fleet.probe import Deadlines, Privilege

# Everybody is a member; no role can have this name.
PUBLIC = "public"
_PUBLIC_ID = 0
_FIRST_SUPERUSER_ID = 10
_FIRST_ORDINARY_ID = 16384
_OWNER_ROLE = "pg_database_owner"
_MEMBERS_CHOOSE = 160000
# What roles of the server itself may do on the whole server, which no catalogue says. Documentation: "Predefined Roles".
_BUILT_IN = {
    "pg_read_all_data": ("SELECT", "USAGE"),
    "pg_write_all_data": ("INSERT", "UPDATE", "DELETE", "USAGE"),
    "pg_maintain": ("MAINTAIN",),
}


@dataclass(frozen=True, slots=True)
class _Database:
    """One row of `list_account_databases.sql`."""

    name: str
    quoted_name: bytes
    quoted_login: bytes
    is_current: bool
    accepts_connections: bool
    may_connect: bool


class PostgresAccounts(PostgresProbe):
    """An open session that reads accounts."""

    def __init__(self, session: Session, others: OtherDatabases) -> None:
        """Ask through a session that is already read-only; `others` opens further ones."""
        super().__init__(session)
        self._others = others

    def privileges(self) -> Sequence[Privilege]:
        """CONNECT on every database."""
        databases = [database for database in self._databases() if database.accepts_connections]
        refusing = [database for database in databases if not database.may_connect]
        statement = _grant_connect(refusing or databases)
        return (Privilege("read the privileges inside every database", statement, is_held=not refusing, is_optional=True),)

    def list_accounts(self) -> AccountListing:
        """Every role, and PUBLIC."""
        public = Account(
            PUBLIC, AccountKind.ROLE, str(_PUBLIC_ID), is_built_in=True, is_everyone=True, attributes=AccountAttributes(can_login=False)
        )
        roles = [_account(row) for row in self._session.rows("probes/postgresql/list_accounts")]
        return AccountListing([public, *roles], AccountMethod.PG_CATALOG)

    def read_privileges(self, listing: AccountListing) -> AccountPrivileges:
        """Memberships, what belongs to the server, and what is in each database that lets this login in."""
        names = {int(account.native_id or -1): account.account_name for account in listing.accounts}
        shared = [
            *_built_in(names.values()),
            *(fact for row in self._session.rows("probes/postgresql/list_shared_privileges") for fact in _shared(row, names)),
        ]
        databases = [database for database in self._databases() if database.accepts_connections]
        inside, unread = self._read_inside(databases, names)
        return AccountPrivileges(
            memberships=[*self._memberships(names), *self._owners(shared, listing)],
            privileges=[*shared, *inside],
            reaches=self._reaches({scope.database_name for scope in unread}, names) if unread else (),
            unread=unread,
        )

    def _databases(self) -> list[_Database]:
        rows = self._session.rows("probes/postgresql/list_account_databases")
        return [
            _Database(decode_name(_bytes(name)), _bytes(quoted), _bytes(login), *cast("list[bool]", flags))
            for name, quoted, login, *flags in rows
        ]

    def _memberships(self, names: Mapping[int, str]) -> list[AccountMembership]:
        has_options = self._session.connection.server_version >= _MEMBERS_CHOOSE
        query = "probes/postgresql/list_memberships" if has_options else "probes/postgresql/list_old_memberships"
        return [
            AccountMembership(names[member], names[role], *cast("list[bool]", options), is_default=True)
            for member, role, *options in cast("list[tuple[int, int, object]]", self._session.rows(query))
            if member in names and role in names
        ]

    def _owners(self, shared: Iterable[AccountPrivilege], listing: AccountListing) -> Generator[AccountMembership]:
        """The owner of a database is a member of pg_database_owner there; on PostgreSQL 15 it inherits only if it inherits at all."""
        inherits = {account.account_name: account.attributes.others.get("inherits") for account in listing.accounts}
        always = self._session.connection.server_version >= _MEMBERS_CHOOSE
        for fact in shared:
            if fact.scope == Scope.DATABASE and fact.origin == Origin.OWNERSHIP and fact.effect == Effect.GRANT:
                name, database_name = fact.account_name, fact.database_name
                yield AccountMembership(name, _OWNER_ROLE, always or bool(inherits[name]), True, False, True, database_name)  # noqa: FBT003 - in the order of the columns

    def _read_inside(self, databases: Sequence[_Database], names: Mapping[int, str]) -> tuple[list[AccountPrivilege], list[UnreadScope]]:
        facts: list[AccountPrivilege] = []
        unread = [_refused(database) for database in databases if not database.may_connect]
        entered = [database for database in databases if database.may_connect]
        unread += [_unsendable(database) for database in entered if not _is_sendable(database)]
        current = [database.name for database in entered if database.is_current]
        others = [database.name for database in entered if _is_sendable(database) and not database.is_current]
        for name in current:
            facts += _inside(self._session.rows("probes/postgresql/list_privileges"), name, names)
        for name, outcome in self._others.read("probes/postgresql/list_privileges", others):
            if isinstance(outcome, TargetError):
                unread.append(UnreadScope(Reason(outcome.reason), str(outcome), database_name=name))
            else:
                facts += _inside(outcome, name, names)
        return facts, unread

    def _reaches(self, database_names: set[str | None], names: Mapping[int, str]) -> list[AccountReach]:
        rows = cast("list[tuple[int, memoryview, int, int, int]]", self._session.rows("probes/postgresql/count_reach"))
        reaches = (AccountReach(names[account], decode_name(bytes(name)), *counts) for account, name, *counts in rows if account in names)
        return [reach for reach in reaches if reach.database_name in database_names]


def _bytes(value: object) -> bytes:
    return bytes(cast("memoryview", value))


def _text(value: object) -> str | None:
    return None if value is None else decode_name(_bytes(value))


def _account(row: tuple[object, ...]) -> Account:
    identifier, name, can_login, is_superuser, *others, expires_at, settings = row
    keys = ("inherits", "can_create_roles", "can_create_databases", "can_replicate", "bypasses_row_security", "connection_limit")
    role_id = int(str(identifier))
    return Account(
        decode_name(_bytes(name)),
        AccountKind.USER if can_login else AccountKind.ROLE,
        str(role_id),
        is_built_in=role_id < _FIRST_ORDINARY_ID and role_id != _FIRST_SUPERUSER_ID,
        attributes=AccountAttributes(
            can_login=bool(can_login),
            is_superuser=bool(is_superuser),
            is_locked=False,  # it locks nobody
            password_expires_at=None if expires_at is None else datetime.fromtimestamp(cast("float", expires_at), UTC),
            others={**dict(zip(keys, others, strict=True)), "settings": (_text(settings) or "").split()},
        ),
    )


def _built_in(names: Iterable[str]) -> Generator[AccountPrivilege]:
    for name in names:
        for privilege in _BUILT_IN.get(name, ()):
            yield AccountPrivilege(name, Scope.SERVER, None, None, None, None, privilege, False, Origin.BUILT_IN)  # noqa: FBT003 - in the order of the columns


@cache
def _split(privileges: str) -> tuple[tuple[str, bool], ...]:
    """Each privilege of an aggregated list, and whether it may be granted on."""
    return tuple((sys.intern(text.removesuffix("*")), text.endswith("*")) for text in privileges.split(","))


def _shared(row: tuple[object, ...], names: Mapping[int, str]) -> Generator[AccountPrivilege]:
    scope, object_name, account_id, grantor_id, privileges, origin, effect = cast("tuple[str, memoryview, int, int, str, str, str]", row)
    if account_id not in names:
        return
    name = decode_name(bytes(object_name))
    database_name, other_name = (name, None) if scope == Scope.DATABASE else (None, name)
    for privilege, is_grantable in _split(privileges):
        yield AccountPrivilege(
            names[account_id], sys.intern(scope), database_name, None, other_name, None, privilege, is_grantable,
            sys.intern(origin), sys.intern(effect), names.get(grantor_id),
        )  # fmt: skip


def _inside(rows: Iterable[tuple[object, ...]], database_name: str, names: Mapping[int, str]) -> Generator[AccountPrivilege]:
    decode = cache(decode_name)  # most rows name an object of the row before
    for row in cast("Iterable[tuple[str, memoryview | None, memoryview | None, memoryview | None, str, int, int, str, str, str]]", rows):
        scope, schema, object_name, column, traits, account_id, grantor_id, privileges, origin, effect = row
        if account_id not in names:
            continue
        schema_name, name, column_name = (None if part is None else decode(bytes(part)) for part in (schema, object_name, column))
        place = (sys.intern(scope), database_name, schema_name, name, column_name)
        end = (sys.intern(origin), sys.intern(effect), names.get(grantor_id), sys.intern(traits))
        for privilege, is_grantable in _split(privileges):
            yield AccountPrivilege(names[account_id], *place, privilege, is_grantable, *end)


def _is_sendable(database: _Database) -> bool:
    return database.is_current or is_utf8(database.quoted_name)


def _grant_connect(databases: Sequence[_Database]) -> str:
    names = ", ".join(decode_name(database.quoted_name) for database in databases)
    return f"GRANT CONNECT ON DATABASE {names} TO {decode_name(databases[0].quoted_login)};"


def _refused(database: _Database) -> UnreadScope:
    detail = f"the login may not connect to the database {database.name!r}"
    return UnreadScope(Reason.NO_PERMISSION, detail, database_name=database.name, cure=_grant_connect([database]))


def _unsendable(database: _Database) -> UnreadScope:
    detail = "the name of the database is not UTF-8, and the driver can only send UTF-8"
    cure = f"ALTER DATABASE {decode_name(database.quoted_name)} RENAME TO …; /* each \\xHH is one byte; client_encoding = SQL_ASCII */"
    return UnreadScope(Reason.INCOMPLETE, detail, database_name=database.name, cure=cure)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[AccountsProbe]:
    """Open a session that reads accounts."""
    begun = time.monotonic()
    with opened_session(instance, login, deadlines, watchdog) as session:
        yield PostgresAccounts(session, OtherDatabases(instance, login, deadlines, watchdog, begun))
