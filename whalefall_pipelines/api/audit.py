"""The audit log: who changed what, or tried to. It also answers repeated requests, and knows which runs were launched."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from whalefall_pipelines.api import store
from whalefall_pipelines.api.model import AuditedRequest
from whalefall_pipelines.api.store import Asked, Earlier
from whalefall_pipelines.store.database import Database

KEY_HOURS = 24


@dataclass(frozen=True, slots=True)
class Repeated:
    """A request whose key was used before: by an unfinished request, by another one, or by this one with its answer."""

    earlier: Earlier
    is_same: bool


def begin(database: Database, asked: Asked) -> Repeated | None:
    """Write down a request before it is carried out; None if its caller has not used its key within KEY_HOURS."""
    earlier = store.open_request(database, asked, asked.requested_at - timedelta(hours=KEY_HOURS))
    if earlier is None:
        return None
    same = (earlier.method, earlier.path, earlier.body_digest) == (asked.method, asked.path, asked.body_digest)
    return Repeated(earlier, same)


def digest_of(body: bytes) -> bytes:
    """A digest of a body: bodies may hold references to secrets, so they are not stored."""
    return hashlib.sha256(body).digest()


def record_command(database: Database, person: str, command: str, now: datetime) -> None:
    """Write down a command of a person on this machine that changed something."""
    request_id = str(uuid4())
    store.open_request(database, Asked(request_id, now, f"{person} (command)", None, "COMMAND", command), now)
    store.complete_request(database, store.Ended(request_id, 0, now))


def list_requests(database: Database, after: Mapping[str, Any], limits: Mapping[str, int]) -> tuple[AuditedRequest, ...]:
    """Requests that changed something, newest first."""
    return store.list_requests(database, after, limits)
