"""What happens around each request that may change something: its body is limited, it is audited, and a repeated one is answered.

A repetition has the Idempotency-Key of an earlier request of the same caller: it gets the answer of that one and does nothing.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import anyio
from anyio import to_thread

from whalefall_pipelines.api import audit
from whalefall_pipelines.api.store import Asked, Ended, complete_request
from whalefall_pipelines.api_base.callers import Caller
from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.services import Services

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
MOST_BYTES = 1_048_576
BODY_SECONDS = 10
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class _Answer:
    """The answer of an action, which is held back until it is written down: who has it can rely on it."""

    status: int = 500
    body: bytearray = field(default_factory=bytearray)
    messages: list[Message] = field(default_factory=list[Message])

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
        self.messages.append(message)


class Actions:
    """The app with its actions audited. Reads pass unchanged."""

    def __init__(self, app: Asgi, services: Services, *, body_seconds: float = BODY_SECONDS) -> None:
        """Wrap an app. A body must arrive within `body_seconds`."""
        self._app, self._services, self._body_seconds = app, services, body_seconds

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on.

        Raises:
            Refusal: the body or the key is refused, or the key was used before and there is no answer to repeat.
        """
        if scope["type"] != "http" or scope["method"] in _READING:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await read_body(headers, receive, self._body_seconds)
        if body and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(415, "VALIDATION_ERROR", "The body must be JSON. Send the header Content-Type: application/json.")
        asked = self._asked(scope, headers, body)
        repeated = await to_thread.run_sync(audit.begin, self._services.writer, asked)
        if repeated is not None:
            await _repeat(repeated, send)
            return
        answer = _Answer()
        try:
            await self._app(scope, replaying(body), answer)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._complete, asked, answer)
            for message in answer.messages:
                await send(message)

    def _asked(self, scope: MutableMapping[str, Any], headers: dict[str, str], body: bytes) -> Asked:
        caller: Caller = scope["whalefall.caller"]
        key = headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise Refusal(400, "VALIDATION_ERROR", "Idempotency-Key must be 1 to 200 printable characters without spaces.")
        now = self._services.clock()
        digest = audit.digest_of(scope["query_string"] + b"\n" + body)
        return Asked(scope["whalefall.request_id"], now, caller.name, caller.token_id, scope["method"], scope["path"], key, digest)

    def _complete(self, asked: Asked, answer: _Answer) -> None:
        document = _document(answer)
        data = _data(document)
        launched = data if "run_id" in data and "session_id" in data else {}
        is_kept = (asked.idempotency_key is not None or launched) and "secret" not in data
        session_id, run_id = launched.get("session_id"), launched.get("run_id")
        complete_request(
            self._services.writer,
            Ended(
                asked.request_id,
                answer.status,
                self._services.clock(),
                UUID(session_id) if session_id else None,
                run_id,
                document if is_kept else None,
            ),
        )


def _document(answer: _Answer) -> dict[str, Any] | None:
    try:
        document = json.loads(bytes(answer.body))
    except ValueError:
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None


def _data(document: Mapping[str, Any] | None) -> dict[str, Any]:
    data = document.get("data") if document else None
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


async def read_body(headers: Mapping[str, str], receive: Receive, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body of a request.

    Raises:
        Refusal: it is too large, does not arrive in time, or the client disconnected.
    """
    declared = headers.get("content-length", "0")
    too_large = Refusal(413, "VALIDATION_ERROR", f"The body has more than {MOST_BYTES} bytes.", headers={"Connection": "close"})
    if declared.isdigit() and int(declared) > MOST_BYTES:
        raise too_large
    body = bytearray()
    with anyio.move_on_after(seconds) as deadline:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400, "VALIDATION_ERROR", "The client disconnected.")
            body += message.get("body", b"")
            if len(body) > MOST_BYTES:
                raise too_large
            if not message.get("more_body"):
                break
    if deadline.cancelled_caught:
        raise Refusal(408, "VALIDATION_ERROR", f"The body did not arrive within {seconds} s.", headers={"Connection": "close"})
    return bytes(body)


def replaying(body: bytes) -> Receive:
    """What an app receives whose body was read before."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await anyio.sleep_forever()
        raise AssertionError

    return receive


async def _repeat(repeated: audit.Repeated, send: Send) -> None:
    earlier = repeated.earlier
    if not repeated.is_same:
        raise Refusal(422, "CONSTRAINT_VIOLATION", "This Idempotency-Key was already used for another request. Choose another key.")
    if earlier.status is None:
        raise Refusal(409, "CONSTRAINT_VIOLATION", "The request with this Idempotency-Key is still running, or was interrupted.")
    if earlier.answer is None:
        raise Refusal(
            409, "CONSTRAINT_VIOLATION", f"The request with this Idempotency-Key ended with {earlier.status}; its answer is not kept."
        )
    kind = b"application/json" if earlier.status < 400 else b"application/problem+json"
    headers = [(b"content-type", kind), (b"idempotent-replayed", b"true")]
    if "session_url" in (data := _data(earlier.answer)):
        headers.append((b"location", str(data["session_url"]).encode()))
    await send({"type": "http.response.start", "status": earlier.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(earlier.answer).encode()})
