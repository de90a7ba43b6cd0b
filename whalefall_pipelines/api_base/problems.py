"""Problems: the answers of requests that were not fulfilled, as RFC 9457 has them, with the names of the product documents."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

import msgspec

from whalefall_pipelines.errors import (
    ConflictError,
    InputError,
    LaunchError,
    NotFoundError,
    SessionEndedError,
    SessionRunningError,
    StoreBusyError,
    StoreError,
    StoreUnreachableError,
    TargetError,
    WhalefallError,
)

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 5
_logger = logging.getLogger("whalefall.api")


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """A request that is refused by the API itself: a status, a public code, and a sentence that says what to do."""

    def __init__(self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was not fulfilled. `message_code` is the code for programs, `suggestions` say what to do.

    `error_id` is in the log of the server. `recoverable` tells whether the same request may succeed later.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    message_code: str
    message: str
    error_id: str
    recoverable: bool
    timestamp: datetime
    suggestions: tuple[str, ...] = ()
    success: bool = False
    error: bool = True
    headers: Mapping[str, str] = field(default_factory=dict[str, str], metadata={"is_body": False})


# The statuses of domain.md section 7, by the class of the error; the first that fits counts.
_STATUSES: tuple[tuple[type[WhalefallError], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 412),
    (InputError, 400),
    (StoreUnreachableError, 503),
    (StoreBusyError, 503),
    (StoreError, 500),
    (TargetError, 409),
    (SessionRunningError, 409),
    (SessionEndedError, 409),
    (LaunchError, 502),
    (WhalefallError, 500),
)
_SUGGESTIONS = {
    "AUTHENTICATION_REQUIRED": "Send the header Authorization: Bearer wf_…; `whalefall tokens create` creates a token.",
    "PERMISSION_DENIED": "Use a token with the required scope; `whalefall tokens create --scope` creates one.",
    "DATABASE_CONNECTION_ERROR": "Check the address and the login of the server; POST /instances/{id}/actions/test shows what is wrong.",
    "SYNC_DATA_ERROR": "GET /gaps has the reason and the statement that fixes it.",
    "RATE_LIMITED": "Wait for the number of seconds in the header Retry-After.",
    "SESSION_RUNNING": "Wait until the session ends, or cancel it.",
    "RESOURCE_NOT_FOUND": "Check the identifiers in the path.",
    "DATABASE_QUERY_ERROR": "`whalefall doctor` shows what is wrong with the store.",
}


def problem_of_error(error: WhalefallError, path: str) -> Problem:
    """The problem of an error. What failed in our own store goes to the log only, because it may name tables and addresses."""
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    detail = str(error)
    error_id = str(uuid4())
    if status >= 500:
        _logger.error("%s %s: %s", error_id, path, error)
        if not isinstance(error, LaunchError):
            detail = "The store did not answer." if status == 503 else "The request failed inside whalefall; the log has the reason."
    headers = {"Retry-After": str(_RETRY_SECONDS)} if status == 503 else {}
    return problem(status, error.code, detail, path, error_id=error_id, recoverable=error.is_transient, headers=headers)


def problem_of_refusal(refusal: Refusal, path: str) -> Problem:
    """The problem of a refused request."""
    is_recoverable = refusal.status in {408, 429, 503}
    return problem(refusal.status, refusal.code, refusal.detail, path, recoverable=is_recoverable, headers=refusal.headers)


def problem(
    status: int,
    code: str,
    detail: str,
    path: str,
    *,
    error_id: str | None = None,
    recoverable: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Problem:
    """A problem with its standard members."""
    return Problem(
        type=f"urn:whalefall:problem:{code.lower().replace('_', '-')}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=path,
        message_code=code,
        message=detail,
        error_id=error_id or str(uuid4()),
        recoverable=recoverable,
        timestamp=datetime.now(UTC),
        suggestions=(_SUGGESTIONS[code],) if code in _SUGGESTIONS else (),
        headers=headers or {},
    )


def problem_body(answer: Problem) -> bytes:
    """The bytes of a problem."""
    return msgspec.json.encode({name: getattr(answer, name) for name in Problem.__slots__ if name != "headers"})
