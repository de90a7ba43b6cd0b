"""Accounts of a monitored server: who can get in, member of what, with which privileges; and what of it could not be read.

`fleet/` reads them, the room `accounts` stores them as versions (domain.md section 8). Facts are named tuples in the order of their
columns, because a server has up to a million of them: they go into COPY as they are. Facts name accounts by `account_name`, which is unique
in a listing. Unknown is None. No secret and no hash is ever in any of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from whalefall_pipelines.domain.reasons import Reason

# The privilege of an owner, which implies all others on the object, and to drop it; facts with it have the origin OWNERSHIP.
OWNER = "OWNER"


class AccountKind(StrEnum):
    """What an account is: somebody who may log in, a role, a group whose members the server does not know, a program, or anybody at all."""

    USER = "user"
    ROLE = "role"
    GROUP = "group"
    APPLICATION = "application"
    ANONYMOUS = "anonymous"


class Scope(StrEnum):
    """What a privilege is on. A scope implies those inside it: a privilege on the server is one on every object that it fits.

    TABLE includes views and foreign tables, which are told apart by a trait. DEFAULT_… is a privilege on objects that the grantor will
    create. Rare kinds of SQL Server (certificates, endpoints, …) have the lower-case name of their class instead of a member here.
    MEMBERSHIP is in no privilege, only in an `UnreadScope`.
    """

    SERVER = "server"
    DATABASE = "database"
    SCHEMA = "schema"
    TABLE = "table"
    COLUMN = "column"
    SEQUENCE = "sequence"
    ROUTINE = "routine"
    TYPE = "type"
    LANGUAGE = "language"
    FOREIGN_SERVER = "foreign_server"
    FOREIGN_DATA_WRAPPER = "foreign_data_wrapper"
    TABLESPACE = "tablespace"
    PARAMETER = "parameter"
    ACCOUNT = "account"
    DEFAULT_TABLE = "default_table"
    DEFAULT_SEQUENCE = "default_sequence"
    DEFAULT_ROUTINE = "default_routine"
    DEFAULT_TYPE = "default_type"
    DEFAULT_SCHEMA = "default_schema"
    DEFAULT_LARGE_OBJECT = "default_large_object"
    MEMBERSHIP = "membership"


class Origin(StrEnum):
    """Where a privilege comes from: a GRANT, ownership, what an object has until somebody changes it, or what the server itself fixed.

    PUBLIC is what the store says of a privilege that somebody has through the account `is_everyone`; no probe says it.
    """

    GRANT = "grant"
    OWNERSHIP = "ownership"
    DEFAULT = "default"
    PUBLIC = "public"
    BUILT_IN = "built_in"


class Effect(StrEnum):
    """What a fact does. DENY beats every grant on the way to an account (SQL Server).

    REVOKE takes something only from what the same account has by itself: from ownership (PostgreSQL), or from a privilege on the whole
    server (a partial revoke of MySQL); what comes through a role stays.
    """

    GRANT = "grant"
    DENY = "deny"
    REVOKE = "revoke"


class Trait(StrEnum):
    """What one must know of the object of a privilege; `AccountPrivilege.traits` has them in this order, separated by commas."""

    PATTERN = "pattern"  # database_name is a LIKE pattern (MySQL); without it, it is a name
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized_view"
    FOREIGN_TABLE = "foreign_table"
    FUNCTION = "function"  # MySQL: a function and a procedure may have one name
    PROCEDURE = "procedure"
    ROW_SECURITY = "row_security"
    FORCED_ROW_SECURITY = "forced_row_security"
    RUNS_AS_OWNER = "runs_as_owner"  # SECURITY DEFINER, and views that read with the rights of their owner
    UNTRUSTED = "untrusted"  # a language whose functions may do what the server's process may
    ALTERED_BUILT_IN = "altered_built_in"  # an object of the server itself whose privileges were changed: a planted hole
    TRUSTWORTHY = "trustworthy"  # a database whose code may act on the server as its owner (SQL Server)


class AccountMethod(StrEnum):
    """The public `method` of an observation: what was read. `…_and_view` is with the view of definer rights that a DBA made."""

    PG_CATALOG = "pg_catalog"
    MYSQL_TABLES = "mysql_tables"
    MYSQL_TABLES_AND_VIEW = "mysql_tables_and_view"
    SYS_CATALOG = "sys_catalog"
    DBA_VIEWS = "dba_views"
    FAKE = "fake"


@dataclass(frozen=True, slots=True)
class AccountAttributes:
    """What an account is by itself; None is unknown, and so is every typed one that an `UnreadScope` names.

    `is_superuser` is by its own attribute or direct grant; who becomes one through roles is computed from memberships. `authentication` is
    the method, such as `caching_sha2_password` or `sql_login`. `others` are the engine's own by name, JSON values: for PostgreSQL
    `inherits`, `can_create_roles`, `can_create_databases`, `can_replicate`, `bypasses_row_security`, `connection_limit` and `settings`
    (names); for MySQL `user`, `host`, `tls`, `connection_limit`, `password_lifetime_days` and `alternatives`.
    """

    can_login: bool | None = None
    is_superuser: bool | None = None
    is_locked: bool | None = None
    is_password_expired: bool | None = None
    has_empty_password: bool | None = None
    password_changed_at: datetime | None = None
    password_expires_at: datetime | None = None
    authentication: str | None = None
    others: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `native_id` is the server's own identifier, which a new account of the same name does not have; None if it has none.

    `database_name` is set for accounts that are inside one database (users and roles of SQL Server); their names are `[database].[name]`.
    Everybody is a member of an account that `is_everyone` without a membership (PUBLIC, mandatory roles), with `database_name`: everybody
    who may enter that database. `last_login_at` changes every day and is therefore no attribute.
    """

    account_name: str
    account_kind: AccountKind
    native_id: str | None = None
    is_built_in: bool = False
    is_everyone: bool = False
    database_name: str | None = None
    last_login_at: datetime | None = None
    attributes: AccountAttributes = AccountAttributes()


class AccountMembership(NamedTuple):
    """`member_name` is a member of `role_name`; one row for each pair and database, whoever granted it how often.

    `inherits`: has the role's privileges without SET ROLE; `can_set`: may become it; `can_admin`: may grant it; `is_default`: active at
    login. An account has now what it reaches by edges that all inherit and of which the first is default; it can become what it reaches
    by edges that all can be set. `database_name`: in that database alone (the owner of a PostgreSQL database in pg_database_owner).
    """

    member_name: str
    role_name: str
    inherits: bool
    can_set: bool
    can_admin: bool
    is_default: bool
    database_name: str | None = None


class AccountPrivilege(NamedTuple):
    """One privilege of one account on one object, or OWNER. A listing has no two that are equal; two grantors are two facts.

    `database_name` is that of the inventory (MySQL: the schema, or a pattern with the trait PATTERN; Oracle: None, the schema is
    `schema_name`). Routines of PostgreSQL carry their argument types in `object_name`. Traits are on the facts of the owner, too.
    """

    account_name: str
    scope: str
    database_name: str | None
    schema_name: str | None
    object_name: str | None
    column_name: str | None
    privilege: str
    is_grantable: bool
    origin: str
    effect: str = Effect.GRANT.value
    grantor_name: str | None = None
    traits: str = ""


class AccountReach(NamedTuple):
    """How many objects of a database that could not be read an account owns, or is named in the privileges or policies of."""

    account_name: str
    database_name: str
    owned_count: int
    granted_count: int
    policy_count: int


@dataclass(frozen=True, slots=True)
class UnreadScope:
    """What could not be read, so that nothing stored about it may be closed.

    It covers every fact with this `scope` (None: any) in this `database_name` (None: any, and none), and every account inside that
    database. With `attribute` it covers no fact, but the field of that name in `AccountAttributes` of every account, or something of the
    engine that has no field (`restrictions`, `administrative_privileges`). `cure` is the statement that cures it; None if there is none.
    """

    reason: Reason
    detail: str
    scope: Scope | None = None
    database_name: str | None = None
    attribute: str | None = None
    cure: str | None = None


@dataclass(frozen=True, slots=True)
class AccountListing:
    """Phase one: every account of a server, built-in ones included, and attributes that could not be read."""

    accounts: Sequence[Account]
    method: AccountMethod
    unread: Sequence[UnreadScope] = ()


@dataclass(frozen=True, slots=True)
class AccountPrivileges:
    """Phase two: the facts of the accounts of a listing; accounts that were created or dropped meanwhile have none."""

    memberships: Sequence[AccountMembership]
    privileges: Sequence[AccountPrivilege]
    reaches: Sequence[AccountReach] = ()
    unread: Sequence[UnreadScope] = ()
