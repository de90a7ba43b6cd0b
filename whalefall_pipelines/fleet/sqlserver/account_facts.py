"""Rows of SQL Server's catalogue as accounts and facts, without a server. `accounts.py` reads the rows.

A user of a database is the login with its SID, whatever both are called, so that its facts are facts of the login. What has no login
(roles, contained and orphaned users) is an account inside its database, called `[database].[name]`.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from whalefall_pipelines.domain.accounts import (
    OWNER,
    Account,
    AccountAttributes,
    AccountKind,
    AccountPrivilege,
    Effect,
    Origin,
    Scope,
    Trait,
)
from whalefall_pipelines.fleet.names import storable
from whalefall_pipelines.fleet.sqlserver.fixed_roles import DATABASE_ROLES, DENYING_ROLES, SERVER_ROLES
from whalefall_pipelines.fleet.sqlserver.statements import quoted

_KINDS = {"R": AccountKind.ROLE, "G": AccountKind.GROUP, "X": AccountKind.GROUP, "A": AccountKind.APPLICATION}
_METHODS = {
    "S": "sql_login", "U": "windows_login", "G": "windows_group", "C": "certificate", "K": "asymmetric_key", "E": "external_login",
    "X": "external_group",
}  # fmt: skip
_PUBLIC_OF_SERVER, _PUBLIC_OF_DATABASE, _LAST_BUILT_IN_USER = 2, 0, 4
_FIRST_FIXED_ROLE, _LAST_FIXED_ROLE = 16384, 16393
_BY_LOGIN, _BY_DATABASE = 1, 2
_DATABASE, _OBJECT, _SCHEMA, _DATABASE_PRINCIPAL, _SERVER, _SERVER_PRINCIPAL = 0, 1, 3, 4, 100, 101
_VIEW = "V"
_ROUTINES = {"P", "FN", "IF", "TF", "FS", "FT", "AF", "PC", "X"}
_TYPES_OF_SEQUENCES = {"SO"}


@dataclass(slots=True)
class Principals:
    """The accounts of a server by the numbers that its rows have: of the server, and of each database by its name."""

    by_sid: dict[bytes, str] = field(default_factory=dict[bytes, str])
    of_server: dict[int, str] = field(default_factory=dict[int, str])
    of_database: dict[str, dict[int, str]] = field(default_factory=dict[str, dict[int, str]])


def text_of(name: bytes) -> str:
    """A name as the server has it, half a surrogate pair included."""
    return name.decode("utf-16-le", "surrogatepass")


@dataclass(frozen=True, slots=True)
class ServerPrincipal:
    """One row of `list_logins.sql`, with the columns as fields."""

    principal_id: int
    name_bytes: bytes
    sid: bytes | None
    type: str
    is_disabled: int
    is_fixed_role: int
    is_superuser: int
    is_locked: int | None
    is_expired: int | None
    password_changed_at: datetime | None
    offset_minutes: int
    is_policy_checked: int | None
    is_expiration_checked: int | None

    @property
    def account(self) -> Account:
        """A login or a server role; a name that looks like one inside a database is quoted."""
        name, kind = text_of(self.name_bytes), self.type.strip()
        changed = self.password_changed_at
        return Account(
            storable(quoted(name) if name.startswith("[") else name),
            _KINDS.get(kind, AccountKind.USER),
            None if self.sid is None else self.sid.hex(),
            is_built_in=bool(self.is_fixed_role) or self.principal_id == _PUBLIC_OF_SERVER or name.startswith("##"),
            is_everyone=self.principal_id == _PUBLIC_OF_SERVER,
            attributes=AccountAttributes(
                can_login=kind not in {"R", "C", "K"} and not self.is_disabled,
                is_superuser=bool(self.is_superuser),
                is_locked=_flag(self.is_locked),
                is_password_expired=_flag(self.is_expired),
                password_changed_at=changed and (changed - timedelta(minutes=self.offset_minutes)).replace(tzinfo=UTC),
                authentication=_METHODS.get(kind),
                others={
                    "is_disabled": bool(self.is_disabled),
                    "is_policy_checked": _flag(self.is_policy_checked),
                    "is_expiration_checked": _flag(self.is_expiration_checked),
                },
            ),
        )


@dataclass(frozen=True, slots=True)
class DatabasePrincipal:
    """One row of `list_database_principals.sql`, with the columns as fields."""

    database_name: str
    principal_id: int
    name_bytes: bytes
    sid: bytes | None
    type: str
    authentication_type: int

    @property
    def account(self) -> Account:
        """What is in the database and has no login: a role, a contained user, one whose login is gone, one that comes by a group."""
        name, kind = text_of(self.name_bytes), self.type.strip()
        is_orphaned = kind == "S" and self.authentication_type == _BY_LOGIN
        can_login = None if kind in {"U", "G", "E", "X"} else self.authentication_type == _BY_DATABASE
        return Account(
            storable(f"{quoted(self.database_name)}.{quoted(name)}"),
            _KINDS.get(kind, AccountKind.USER),
            None if self.sid is None else self.sid.hex(),
            is_built_in=self.principal_id <= _LAST_BUILT_IN_USER or _FIRST_FIXED_ROLE <= self.principal_id <= _LAST_FIXED_ROLE,
            is_everyone=self.principal_id == _PUBLIC_OF_DATABASE,
            database_name=storable(self.database_name),
            attributes=AccountAttributes(
                can_login=can_login,
                is_superuser=False,
                is_locked=False,
                authentication=_METHODS.get(kind),
                others={"is_orphaned": is_orphaned},
            ),
        )


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _fact(
    account: str, scope: str, privilege: str, *, database: str | None = None, schema: str | None = None, name: str | None = None,
    column: str | None = None, state: str = "G", origin: Origin = Origin.GRANT, grantor: str | None = None, traits: str = "",
) -> AccountPrivilege:  # fmt: skip
    effect = Effect.DENY if state == "D" else Effect.GRANT
    place = (database, schema, name, column)
    return AccountPrivilege(account, scope, *place, privilege, state == "W", origin.value, effect.value, grantor, traits)


def built_in_facts(account: Account) -> Generator[AccountPrivilege]:
    """What a fixed role may do."""
    if not account.is_built_in or account.account_kind is not AccountKind.ROLE:
        return
    database = account.database_name
    role = account.account_name.rpartition(".")[2].strip("[]")
    roles = SERVER_ROLES if database is None else DATABASE_ROLES
    scope = (Scope.SERVER if database is None else Scope.DATABASE).value
    for privilege in roles.get(role, ()):
        yield _fact(account.account_name, scope, privilege, database=database, origin=Origin.BUILT_IN)
    for privilege in DENYING_ROLES.get(role, ()) if database is not None else ():
        yield _fact(account.account_name, scope, privilege, database=database, state="D", origin=Origin.BUILT_IN)


ServerRow = tuple[int, str, int, int, int, str, str]


def server_fact(row: ServerRow, names: Mapping[int, str]) -> AccountPrivilege | None:
    """One row of `list_server_permissions.sql`; None of a principal that is not listed."""
    kind, class_desc, major_id, grantee, grantor, privilege, state = row
    if grantee not in names:
        return None
    scope, name = Scope.SERVER.value, None
    if kind == _SERVER_PRINCIPAL:
        scope, name = Scope.ACCOUNT.value, names.get(major_id)
    elif kind != _SERVER:
        scope, name = class_desc.lower(), str(major_id)
    return _fact(names[grantee], scope, privilege, name=name, state=state.strip(), grantor=names.get(grantor))


def owner_of_database(account: str, database: str, *, is_trustworthy: bool) -> AccountPrivilege:
    """The owner of a database; in a trustworthy one, code may act on the server as its owner."""
    traits = Trait.TRUSTWORTHY.value if is_trustworthy else ""
    return _fact(account, Scope.DATABASE.value, OWNER, database=storable(database), origin=Origin.OWNERSHIP, traits=traits)


def owner_of_schema(row: tuple[str, str, int], principals: Principals) -> AccountPrivilege | None:
    """One row of `list_schema_owners.sql`."""
    database, schema, owner = row
    account = principals.of_database[database].get(owner)
    if account is None:
        return None
    where = (storable(database), storable(schema))
    return _fact(account, Scope.SCHEMA.value, OWNER, database=where[0], schema=where[1], origin=Origin.OWNERSHIP)


DatabaseRow = tuple[str, int, str, int, int, int, str, str, str | None, str | None, str | None, str | None]


def database_fact(row: DatabaseRow, principals: Principals) -> AccountPrivilege | None:
    """One row of `list_database_permissions.sql`; None of a principal that is not listed."""
    database, kind, class_desc, major_id, grantee, grantor, privilege, state, schema, name, object_type, column = row
    names = principals.of_database[database]
    if grantee not in names:
        return None
    scope, traits = _scope(kind, class_desc, (object_type or "").strip(), column)
    if kind == _DATABASE_PRINCIPAL:
        name = names.get(major_id)
    elif kind not in {_DATABASE, _OBJECT, _SCHEMA}:
        name = str(major_id)
    return _fact(
        names[grantee],
        scope,
        privilege,
        database=storable(database),
        schema=_stored(schema),
        name=_stored(name),
        column=_stored(column),
        state=state.strip(),
        grantor=names.get(grantor),
        traits=traits,
    )


def _stored(name: str | None) -> str | None:
    return None if name is None else storable(name)


def _scope(kind: int, class_desc: str, object_type: str, column: str | None) -> tuple[str, str]:
    if kind != _OBJECT:
        scopes = {_DATABASE: Scope.DATABASE, _SCHEMA: Scope.SCHEMA, _DATABASE_PRINCIPAL: Scope.ACCOUNT}
        return scopes[kind].value if kind in scopes else class_desc.lower(), ""
    traits = Trait.VIEW.value if object_type == _VIEW else ""
    if column is not None:
        return Scope.COLUMN.value, traits
    if object_type in _ROUTINES:
        return Scope.ROUTINE.value, ""
    return (Scope.SEQUENCE.value if object_type in _TYPES_OF_SEQUENCES else Scope.TABLE.value), traits
