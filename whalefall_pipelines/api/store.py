"""Tokens and requests in the store. `tokens.py` and `audit.py` decide; here are the statements."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.api.model import AuditedRequest, NewToken, Token
from whalefall_pipelines.domain.runs import Queued
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as, fetch_rows


def insert_token(database: Database, token: NewToken, digest: bytes) -> int | None:
    """Add a token and return its id; None if a living token has its name."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/insert_token"), {**asdict(token), "digest": digest})
        row = cursor.fetchone()
    return row[0] if row else None


def find_token(database: Database, digest: bytes, now: datetime) -> Token | None:
    """The living token with this digest."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/find_token"), {"digest": digest, "now": now})
        tokens = fetch_as(cursor, Token)
    return tokens[0] if tokens else None


def list_tokens(database: Database, now: datetime) -> tuple[Token, ...]:
    """Every token, newest first."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/list_tokens"), {"now": now})
        return fetch_as(cursor, Token)


def mark_used(database: Database, token_id: int, day: date) -> None:
    """Store the day on which a token was used last."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/mark_token_used"), {"token_id": token_id, "day": day})


def revoke_token(database: Database, token_id: int, now: datetime) -> bool:
    """End a token and what comes from it; False if it had ended before."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/revoke_token"), {"token_id": token_id, "now": now})
        return token_id in {ended for (ended,) in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that changes something. The digest is of its body."""

    request_id: str
    requested_at: datetime
    caller: str
    token_id: int | None
    method: str
    path: str
    idempotency_key: str | None = None
    body_digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier request with the same key. Without a status it is not finished, without an answer it is not kept."""

    method: str
    path: str
    body_digest: bytes
    status: int | None
    answer: dict[str, Any] | None


def open_request(database: Database, asked: Asked, keys_kept_from: datetime) -> Earlier | None:
    """Write down a request. If its caller has used its key before, write nothing and return the earlier request."""
    with database.transaction() as cursor:
        if asked.idempotency_key is not None:
            cursor.execute(
                queries.load("api/release_keys"),
                {"caller": asked.caller, "idempotency_key": asked.idempotency_key, "kept_from": keys_kept_from},
            )
        cursor.execute(queries.load("api/insert_request"), asdict(asked))
        if cursor.fetchone() is not None:
            return None
        cursor.execute(queries.load("api/find_request"), {"caller": asked.caller, "idempotency_key": asked.idempotency_key})
        (row,) = fetch_rows(cursor)
    return Earlier(row["method"], row["path"], bytes(row["body_digest"]), row["status"], row["answer"])


@dataclass(frozen=True, slots=True)
class Ended:
    """How a request ended, and the run that it launched."""

    request_id: str
    status: int
    completed_at: datetime
    session_id: UUID | None = None
    run_id: str | None = None
    answer: Mapping[str, Any] | None = None


def complete_request(database: Database, ended: Ended) -> None:
    """Write down how a request ended."""
    values = {
        "request_id": ended.request_id,
        "status": ended.status,
        "completed_at": ended.completed_at,
        "session_id": str(ended.session_id) if ended.session_id else None,
        "run_id": ended.run_id,
        "answer": None if ended.answer is None else json.dumps(ended.answer),
    }
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/complete_request"), values)


def find_launched(database: Database, session_id: UUID) -> Queued | None:
    """The run that was launched with this session; None if none was."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/find_launched"), {"session_id": str(session_id)})
        row = cursor.fetchone()
    return Queued(session_id, row[0], row[1] or {}) if row else None


def list_requests(database: Database, after: Mapping[str, Any], limits: Mapping[str, int]) -> tuple[AuditedRequest, ...]:
    """Requests that changed something, newest first."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("api/list_requests"), {**after, **limits})
        return fetch_as(cursor, AuditedRequest)
