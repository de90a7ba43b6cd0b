"""Tokens: makes, finds and ends them. A secret has 256 random bits, so that a plain SHA-256 of it can be stored.

A link signs a browser in once; the browser's cookie is a token of its own, which ends with the token that it comes from.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from whalefall_pipelines.api import store
from whalefall_pipelines.api.model import MadeToken, NewToken, Token, TokenKind
from whalefall_pipelines.api_base.callers import Caller, Scope
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database

LINK_MINUTES = 10
BROWSER_HOURS = 12
_SECRET = re.compile(r"wf_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.@:-]{0,99}")


def create_token(
    database: Database,
    name: str,
    scope: Scope,
    *,
    now: datetime,
    created_by: str,
    has_access: bool = False,
    lifetime: timedelta | None = None,
) -> MadeToken:
    """Make a token for a script.

    Raises:
        InputError: the name is not one, or a living token has it.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} cannot be the name of a token. Use up to 100 letters, digits, spaces and . _ @ : -.")
    expires_at = None if lifetime is None else now + lifetime
    made = _make(database, NewToken(TokenKind.TOKEN, name, scope, has_access, created_by, now, expires_at))
    if made is None:
        raise InputError(f"There is already a token {name!r}. Choose another name, or revoke that token.")
    return made


def create_link(database: Database, *, scope: Scope, has_access: bool, created_by: str, now: datetime) -> str:
    """Make the secret of a link that signs a browser in once within LINK_MINUTES."""
    expires_at = now + timedelta(minutes=LINK_MINUTES)
    made = _make(database, NewToken(TokenKind.LINK, f"link of {created_by}", scope, has_access, created_by, now, expires_at))
    assert made is not None  # noqa: S101 - only the names of tokens are unique
    return made.secret


def find_caller(database: Database, secret: str, now: datetime) -> Caller | None:
    """Who has this secret of a token or of a browser; None if nobody. The use is stored once a day."""
    token = _find(database, secret, now)
    if token is None or token.kind is TokenKind.LINK:
        return None
    day = today(now, database.timezone)
    if token.last_used_on != day:
        store.mark_used(database, token.token_id, day)
    return Caller(token.name, token.scope, token.has_access, token.token_id)


def sign_in(database: Database, secret: str, now: datetime) -> str | None:
    """Exchange the secret of a token or of an unused link for the cookie of a browser; None if it is neither.

    The browser may do what the token may, for BROWSER_HOURS, and not longer than the token lives.
    """
    token = _find(database, secret, now)
    if token is None or token.kind is TokenKind.BROWSER:
        return None
    parent_id = token.token_id
    if token.kind is TokenKind.LINK:
        if not store.revoke_token(database, token.token_id, now):
            return None  # it was used in this moment
        parent_id = None
    expires_at = now + timedelta(hours=BROWSER_HOURS)
    if token.kind is TokenKind.TOKEN and token.expires_at is not None:
        expires_at = min(expires_at, token.expires_at)
    name = token.created_by if token.kind is TokenKind.LINK else token.name
    made = _make(database, NewToken(TokenKind.BROWSER, name, token.scope, token.has_access, token.name, now, expires_at, parent_id))
    return made.secret if made else None


def sign_out(database: Database, secret: str, now: datetime) -> None:
    """End the sign-in of a browser."""
    token = _find(database, secret, now)
    if token is not None and token.kind is TokenKind.BROWSER:
        store.revoke_token(database, token.token_id, now)


def list_tokens(database: Database, now: datetime) -> tuple[Token, ...]:
    """Every token, newest first, and the browsers that are signed in."""
    return store.list_tokens(database, now)


def revoke_token(database: Database, token_id: int, now: datetime) -> Token:
    """End a token for ever, together with the browsers that signed in with it.

    Raises:
        NotFoundError: there is no such living token.
    """
    tokens = {token.token_id: token for token in store.list_tokens(database, now)}
    if token_id not in tokens or not store.revoke_token(database, token_id, now):
        raise NotFoundError(f"There is no valid token {token_id}; `whalefall tokens list` shows all tokens.")
    return tokens[token_id]


def _find(database: Database, secret: str, now: datetime) -> Token | None:
    return store.find_token(database, _digest(secret), now) if _SECRET.fullmatch(secret) else None


def _make(database: Database, token: NewToken) -> MadeToken | None:
    secret = f"wf_{secrets.token_urlsafe(32)}"
    token_id = store.insert_token(database, token, _digest(secret))
    return None if token_id is None else MadeToken(token_id, token.name, token.scope, token.has_access, token.expires_at, secret)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
