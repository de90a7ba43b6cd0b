"""Accounts of Oracle Database 12.1 and later: eight statements over the dictionary, whatever the number of accounts.

It was never run against a real Oracle server: statements and their logic are tested against the server in
`whalefall_pipelines_tests/servers/oracle/`, which has the documented dictionary. One probe covers one container, in which common users are
seen with what they have there. Hashes are in `sys.user$`, which is never asked for. Names whose characters the server cannot convert are
told apart in the listing, but their facts are not read.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from whalefall_pipelines.domain.accounts import (
    OWNER,
    Account,
    AccountAttributes,
    AccountKind,
    AccountListing,
    AccountMembership,
    AccountMethod,
    AccountPrivilege,
    AccountPrivileges,
    Effect,
    Origin,
    Scope,
    Trait,
    UnreadScope,
)
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.accounts import AccountsProbe
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.names import storable
from whalefall_pipelines.fleet.oracle.probe import OracleProbe, decode_name, opened_connection
from whalefall_pipelines.fleet.probe import Deadlines, Privilege

PUBLIC = "PUBLIC"
LISTING = ("dba_users", "dba_roles", "dba_role_privs")
# Each statement of phase two, the view that it needs besides those of the listing, and the scope of its facts.
_OBJECTS = "dba_tab_privs"
_STATEMENTS = (
    ("probes/oracle/list_system_privileges", "dba_sys_privs", Scope.SERVER),
    ("probes/oracle/list_object_privileges", _OBJECTS, Scope.TABLE),
    ("probes/oracle/list_column_privileges", "dba_col_privs", Scope.COLUMN),
    ("probes/oracle/list_proxies", "dba_proxies", Scope.ACCOUNT),
)
_PASSWORD_FILE = "v_$pwfile_users"  # noqa: S105 - a view of names
_ADMINISTRATORS = ("SYSDBA", "SYSOPER", "SYSBACKUP", "SYSDG", "SYSKM")
_SCOPES = {
    "TABLE": (Scope.TABLE, ""),
    "VIEW": (Scope.TABLE, Trait.VIEW),
    "MATERIALIZED VIEW": (Scope.TABLE, Trait.MATERIALIZED_VIEW),
    "SEQUENCE": (Scope.SEQUENCE, ""),
    "TYPE": (Scope.TYPE, ""),
    "PROCEDURE": (Scope.ROUTINE, Trait.PROCEDURE),
    "FUNCTION": (Scope.ROUTINE, Trait.FUNCTION),
    "PACKAGE": (Scope.ROUTINE, ""),
    "USER": (Scope.ACCOUNT, ""),
}
_Names = Mapping[str, str]


class OracleAccounts(OracleProbe):
    """An open connection that reads accounts."""

    def privileges(self) -> Sequence[Privilege]:
        """The views of the dictionary; none of them shows a hash."""
        return (
            self._privilege("list accounts and roles", *LISTING),
            self._privilege("read privileges", *(view for _, view, _ in _STATEMENTS)),
            self._privilege("see administrators in the password file", _PASSWORD_FILE, is_optional=True),
        )

    def list_accounts(self) -> AccountListing:
        """Users, roles and PUBLIC of this container."""
        self._require(*LISTING)
        users = [_User(*cast("tuple[str, ...]", row)).account for row in self._rows("probes/oracle/list_users")]
        roles = [_role(*cast("tuple[str, str, str, int, int]", row)) for row in self._rows("probes/oracle/list_roles")]
        public = Account(PUBLIC, AccountKind.ROLE, is_built_in=True, is_everyone=True, attributes=AccountAttributes(can_login=False))
        return AccountListing([*users, *roles, public], AccountMethod.DBA_VIEWS)

    def read_privileges(self, listing: AccountListing) -> AccountPrivileges:
        """Roles and privileges of the listed accounts; a user owns the schema of its name."""
        names = {account.account_name: account.account_name for account in listing.accounts}
        privileges = [
            AccountPrivilege(name, Scope.SCHEMA, None, name, None, None, OWNER, False, Origin.OWNERSHIP)  # noqa: FBT003 - in the order of the columns
            for account in listing.accounts
            if account.account_kind is AccountKind.USER and (name := account.account_name)
        ]
        privileges += self._administrators(names)
        unread: list[UnreadScope] = []
        for query, view, scope in _STATEMENTS:
            rows = self._permitted_rows(query, view)
            if rows is None:
                unread.append(self._gap(view, None if view == _OBJECTS else scope))  # objects are of any kind
            else:
                privileges += _facts(scope, rows, names)
        if self._privileges.missing(_PASSWORD_FILE):
            unread.append(self._gap(_PASSWORD_FILE, None, attribute="administrator"))
        return AccountPrivileges(list(self._memberships(names)), privileges, unread=unread)

    def _permitted_rows(self, query: str, view: str) -> list[tuple[object, ...]] | None:
        """The rows of a statement; None without the privilege, also if it was revoked while the accounts were listed."""
        if self._privileges.missing(view):
            return None
        try:
            return self._rows(query)
        except SizesError as error:
            if error.reason != Reason.NO_PERMISSION:
                raise
            return None

    def _privilege(self, purpose: str, *views: str, is_optional: bool = False) -> Privilege:
        grants, is_held = self._privileges.grants(*views), not self._privileges.missing(*views)
        return Privilege(purpose, grants, is_held=is_held, is_optional=is_optional)

    def _gap(self, view: str, scope: Scope | None, *, attribute: str | None = None) -> UnreadScope:
        cure = self._privileges.grants(view)
        return UnreadScope(Reason.NO_PERMISSION, f"the login may not read {view}", scope, attribute=attribute, cure=cure)

    def _memberships(self, names: _Names) -> Generator[AccountMembership]:
        """A role's own roles come with it; which are active at login is what default says."""
        rows = cast("list[tuple[str, str, int, int]]", self._rows("probes/oracle/list_memberships"))
        for member, role, can_admin, is_default in rows:
            if member in names and role in names:
                yield AccountMembership(names[member], names[role], True, True, bool(can_admin), bool(is_default))  # noqa: FBT003 - in the order of the columns

    def _administrators(self, names: _Names) -> Generator[AccountPrivilege]:
        for name, *flags in self._optional_rows("probes/oracle/list_password_file_users", _PASSWORD_FILE):
            for privilege, flag in zip(_ADMINISTRATORS, flags, strict=True):
                if str(flag) == "TRUE" and str(name) in names:
                    yield _fact(str(name), Scope.SERVER, privilege)


@dataclass(frozen=True, slots=True)
class _User:
    """One row of `list_users.sql`, with the columns as fields."""

    name: object
    name_bytes: object
    user_id: object
    status: object
    expires_at: object
    offset_minutes: object
    last_login_at: object
    authentication: object
    profile: object
    is_common: object
    is_built_in: object
    is_superuser: object

    @property
    def account(self) -> Account:
        expires, seen = cast("datetime | None", self.expires_at), cast("datetime | None", self.last_login_at)
        status = str(self.status)
        return Account(
            decode_name(self.name, self.name_bytes),
            AccountKind.USER,
            str(self.user_id),
            is_built_in=bool(self.is_built_in),
            last_login_at=seen and seen.replace(tzinfo=UTC),
            attributes=AccountAttributes(
                can_login=self.authentication != "NONE",
                is_superuser=bool(self.is_superuser),
                is_locked="LOCKED" in status,
                is_password_expired=status.startswith("EXPIRED") and "GRACE" not in status,
                password_expires_at=expires and (expires - timedelta(minutes=int(str(self.offset_minutes)))).replace(tzinfo=UTC),
                authentication=str(self.authentication or "").lower() or None,
                others={"profile": self.profile, "is_common": bool(self.is_common), "status": status},
            ),
        )


def _role(name: object, name_bytes: object, authentication: object, is_common: object, is_built_in: object) -> Account:
    return Account(
        decode_name(name, name_bytes),
        AccountKind.ROLE,
        is_built_in=bool(is_built_in),
        attributes=AccountAttributes(
            can_login=False,
            is_superuser=name == "DBA",
            is_locked=False,
            authentication=str(authentication or "").lower() or None,
            others={"is_common": bool(is_common)},
        ),
    )


def _facts(scope: Scope, rows: Iterable[tuple[object, ...]], names: _Names) -> Generator[AccountPrivilege]:
    for name, *values in cast("Iterable[tuple[str, ...]]", rows):
        if name not in names:
            continue
        match scope, values:
            case Scope.SERVER, [privilege, is_grantable]:
                yield _fact(name, scope, privilege, is_grantable=is_grantable)
            case Scope.ACCOUNT, [other]:
                yield _fact(name, scope, "PROXY", place=(None, other, None))
            case Scope.COLUMN, [schema, table, column, privilege, is_grantable, grantor]:
                yield _fact(name, scope, privilege, (schema, table, column), is_grantable=is_grantable, grantor=grantor)
            case _, [schema, object_name, kind, privilege, is_grantable, grantor]:
                object_scope, trait = _SCOPES.get(kind, (str(kind).lower().replace(" ", "_"), ""))
                place = (None if object_scope is Scope.ACCOUNT else schema, object_name, None)
                fact = _fact(name, object_scope, privilege, place, is_grantable=is_grantable, grantor=grantor)
                yield fact._replace(traits=str(trait))
            case _:
                raise AssertionError(values)


def _fact(
    name: str, scope: str, privilege: str, place: tuple[str | None, str | None, str | None] = (None, None, None), *,
    is_grantable: object = 0, grantor: str | None = None,
) -> AccountPrivilege:  # fmt: skip
    schema, object_name, column = (None if part is None else storable(part) for part in place)
    end = (bool(is_grantable), Origin.GRANT.value, Effect.GRANT.value, grantor)
    return AccountPrivilege(name, str(scope), None, schema, object_name, column, privilege, *end)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[AccountsProbe]:
    """Open a connection that reads accounts."""
    with opened_connection(instance, login, deadlines, watchdog) as (connection, watch):
        yield OracleAccounts(connection, instance, watch)
