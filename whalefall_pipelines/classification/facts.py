"""What is known of one account on a day, as rules ask it. `read_facts.py` reads it from the store, examples of rules write it by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

# What is unread under these names may hide that an account is a superuser, or has privileges of the server.
ADMINISTRATIVE = frozenset({"administrator", "administrative_privileges"})
# Privileges of these scopes belong to no database.
WITHOUT_DATABASE = frozenset({"server", "account", "tablespace", "parameter"})


@dataclass(frozen=True, slots=True)
class ReachedRole:
    """A role that an account has now, or can become, and the chain of roles that leads there.

    `short_name` is the name without the host (MySQL) or the database (SQL Server).
    """

    name: str
    short_name: str = ""
    has_now: bool = True
    can_become: bool = True
    is_superuser: bool | None = False
    chain: str = ""


@dataclass(frozen=True, slots=True)
class HeldPrivilege:
    """A privilege that an account has by itself, through roles that it has now, or as everybody has it (`is_public`)."""

    privilege: str
    scope: str = "server"
    database_name: str | None = None
    object_name: str | None = None
    is_grantable: bool = False
    effect: str = "grant"
    is_own: bool = True
    is_public: bool = False
    target: str = ""
    chain: str = ""


@dataclass(frozen=True, slots=True)
class UnreadFacts:
    """What could not be read of the instance; `domain/accounts.py` has what it covers."""

    scope: str | None = None
    database_name: str | None = None
    attribute: str | None = None

    @property
    def sentence(self) -> str:
        """What is unknown, in words."""
        if self.attribute is not None:
            return f"{self.attribute} was not read"
        place = f" in {self.database_name}" if self.database_name else ""
        return f"{'privileges' if self.scope is None else f'privileges on {self.scope}'}{place} were not read"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account on a day. `attributes` has the typed ones of the store and the engine's own by name; None is unknown.

    `last_login_on` is None if the server does not tell it, or if it never logged in (Oracle). `host_count` counts the accounts of one user
    name on the instance, `member_count` the direct members of a role.
    """

    engine: str
    day: date
    account_name: str = "account"
    account_kind: str = "user"
    is_built_in: bool = False
    attributes: Mapping[str, object] = field(default_factory=dict[str, object])
    password_changed_on: date | None = None
    password_expires_on: date | None = None
    first_seen_on: date | None = None
    last_login_on: date | None = None
    host_count: int = 1
    member_count: int = 0
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    server_version: str | None = None
    roles: tuple[ReachedRole, ...] = ()
    privileges: tuple[HeldPrivilege, ...] = ()
    unread: tuple[UnreadFacts, ...] = ()

    def attribute(self, name: str) -> bool | None:
        """An attribute that is true or false; None if it is unknown or something else."""
        value = self.attributes.get(name)
        return value if isinstance(value, bool) else None

    def is_unread(self, *names: str) -> UnreadFacts | None:
        """The gap that hides one of these attributes."""
        return next((gap for gap in self.unread if gap.attribute in names), None)

    def unread_memberships(self) -> UnreadFacts | None:
        """The gap that may hide a membership. Roles are inside databases on SQL Server only."""
        return next(
            (
                gap
                for gap in self.unread
                if gap.attribute is None and gap.scope in {None, "membership"} and (gap.database_name is None or self.engine == "sqlserver")
            ),
            None,
        )

    def unread_privileges(self, scope: str | None, database_name: str | None) -> UnreadFacts | None:
        """The gap that may hide a privilege of this scope in this database (None: any)."""
        return next((gap for gap in self.unread if _hides(gap, scope, database_name)), None)


def _hides(gap: UnreadFacts, scope: str | None, database_name: str | None) -> bool:
    if gap.attribute is not None:
        return gap.attribute in ADMINISTRATIVE and scope in {None, "server"}
    if gap.scope is not None and scope is not None and gap.scope != scope:
        return False
    if gap.scope == "membership":
        return False
    if gap.database_name is None:
        return True
    return scope not in WITHOUT_DATABASE and database_name in {None, gap.database_name}
