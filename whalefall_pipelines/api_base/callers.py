"""Who calls, and what each scope allows."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do. Each scope contains the one before it."""

    READ = "read"
    """Read sizes, sessions and partitions."""
    OPERATE = "operate"
    """Test and read servers, launch and cancel runs, use the Dagster UI."""
    ADMIN = "admin"
    """Change the fleet, table partitions and tokens, and read the audit log."""

    def contains(self, other: "Scope") -> bool:
        """Whether whoever has this scope may do what needs the other one."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a script that passed the gate. `token_id` is None behind a proxy that signs people in.

    `has_access` allows to read accounts and their privileges.
    """

    name: str
    scope: Scope
    has_access: bool = False
    token_id: int | None = None

    def may(self, scope: Scope, *, needs_access: bool = False) -> bool:
        """Whether the caller may use a route with this scope."""
        return self.scope.contains(scope) and (self.has_access or not needs_access)
