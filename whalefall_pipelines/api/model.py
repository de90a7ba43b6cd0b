"""Tokens and audited requests, as the API and the commands show them. No secret and no digest is part of them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from whalefall_pipelines.api_base.callers import Scope


class TokenKind(StrEnum):
    """What a secret is for."""

    TOKEN = "token"  # noqa: S105 - the name of a kind
    """Sent by scripts with each request, and pasted once by people."""
    LINK = "link"
    """Signs a browser in once, within minutes."""
    BROWSER = "browser"
    """The cookie of a browser that signed in."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made. `expires_at` is None if it never expires."""

    kind: TokenKind
    name: str
    scope: Scope
    has_access: bool
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret, which is shown only when it is made. `has_access` allows to read accounts."""

    token_id: int
    kind: TokenKind
    name: str
    scope: Scope
    has_access: bool
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_on: date | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token. The secret is not stored and cannot be shown again."""

    token_id: int
    name: str
    scope: Scope
    has_access: bool
    expires_at: datetime | None
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditedRequest:
    """A request that changed something, or tried to. `status` is None if it is running or broke."""

    request_id: str
    requested_at: datetime
    caller: str
    method: str
    path: str
    status: int | None
    completed_at: datetime | None
    session_id: UUID | None
