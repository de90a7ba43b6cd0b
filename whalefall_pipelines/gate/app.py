"""The gate, which every request passes: it finds the caller, refuses foreign pages and too many requests, and passes the rest on.

It is pure ASGI, so that websockets pass it as well. Nothing behind it is served without it.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
from anyio import to_thread
from starlette.responses import PlainTextResponse, Response

from whalefall_pipelines.api.actions import Asgi, Message, Receive, Send
from whalefall_pipelines.api.app import PREFIX, problem_response
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.problems import Problem, Refusal, problem_of_error, problem_of_refusal
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.gate import sign_in
from whalefall_pipelines.gate.callers import Callers, SignedIn, credentials
from whalefall_pipelines.gate.limits import Limits

DAGSTER_PATH = "/dagster"
# Names outside of the API under which monitors look.
_SHORT = {f"/{name}": f"{PREFIX}/{name}" for name in ("healthz", "readyz", "openapi.json", "metrics")}
_OPEN = frozenset({f"{PREFIX}/healthz", f"{PREFIX}/readyz"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _SAFE | {"POST", "DELETE"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_logger = logging.getLogger("whalefall.gate")
AsgiScope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind the gate: the API, the console, and the Dagster UI where this process serves it.

    `problem_page` is how the console shows a problem to a person.
    """

    api: Asgi
    console: Asgi
    problem_page: Callable[[Problem, AsgiScope], Response]
    dagster: Asgi | None = None


class Gate:
    """The app that is served."""

    def __init__(self, behind: Behind, callers: Callers, limits: Limits, *, is_secure: bool = False) -> None:
        """Stand before these apps. With `is_secure`, cookies are sent over TLS only."""
        self._behind, self._callers, self._limits, self._is_secure = behind, callers, limits, is_secure

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path: str = scope["path"]
        scope["path"] = path = _SHORT.get(path, path)
        asked_id = headers.get("x-request-id", "")
        scope["whalefall.request_id"] = f"{asked_id}-{uuid4().hex[:8]}" if _REQUEST_ID.fullmatch(asked_id) else str(uuid4())
        answering = _Answering(send, asked_id if _REQUEST_ID.fullmatch(asked_id) else scope["whalefall.request_id"])
        begun = time.perf_counter()
        try:
            await self._pass(scope, headers, receive, answering)
        except Refusal as refusal:
            await _answer(self._refused(problem_of_refusal(refusal, path), scope, headers), scope, receive, answering)
        except WhalefallError as error:
            await _answer(self._refused(problem_of_error(error, path), scope, headers), scope, receive, answering)
        if path.startswith(f"{PREFIX}/") and answering.status:
            route = scope["route"].path.removeprefix(PREFIX) if "route" in scope else "none"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._callers.services.traffic.count(route, method, answering.status, time.perf_counter() - begun)

    async def _pass(self, scope: AsgiScope, headers: Mapping[str, str], receive: Receive, send: "_Answering") -> None:
        path: str = scope["path"]
        if _CONTROL.search(path):  # which no route has, and PostgreSQL cannot store
            raise Refusal(400, "VALIDATION_ERROR", "The path has a control character.")
        if path == sign_in.PATH and scope["type"] == "http":
            await _answer(await self._sign_in(scope, headers, receive), scope, receive, send)
            return
        if path in _OPEN and scope["type"] == "http" and scope["method"] in _SAFE:
            await self._behind.api(scope, receive, send)
            return
        caller = self._callers.remembered(scope, headers)
        if caller is None:
            with anyio.CancelScope(shield=True):
                caller = await to_thread.run_sync(self._callers.find, headers)
        if caller is None:
            await _answer(_refuse_stranger(scope, headers), scope, receive, send)
            return
        self._refuse_foreign_page(scope, headers, caller)
        scope["whalefall.caller"] = caller.caller
        if path == sign_in.OUT_PATH and scope["type"] == "http" and scope["method"] == "POST":
            secret, _ = credentials(headers)
            self._callers.forget()
            await _answer(await to_thread.run_sync(sign_in.sign_out, self._callers.services, secret), scope, receive, send)
            return
        await self._dispatch(scope, caller, receive, send)

    async def _dispatch(self, scope: AsgiScope, caller: SignedIn, receive: Receive, send: "_Answering") -> None:
        path: str = scope["path"]
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            if scope["type"] != "http":
                raise Refusal(404, "RESOURCE_NOT_FOUND", "The API has no websocket.")
            self._refuse_too_many(scope, caller)
            await self._behind.api(scope, receive, send)
        elif self._behind.dagster and (path == DAGSTER_PATH or path.startswith(f"{DAGSTER_PATH}/")):
            # Whoever reaches the UI can launch runs there: Dagster knows one switch for all who use it, and not for each.
            if not caller.caller.may(Scope.OPERATE):
                raise Refusal(403, "PERMISSION_DENIED", "The Dagster UI needs the scope operate.")
            await self._behind.dagster(scope, receive, send)
        elif scope["type"] == "http":
            if scope["method"] not in _SAFE:
                self._refuse_too_many(scope, caller)
            await self._behind.console(scope, receive, send)
        else:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "There is nothing at this path.")

    def _refused(self, answer: Problem, scope: AsgiScope, headers: Mapping[str, str]) -> Response:
        """A problem as a page for a person, and as JSON for a program."""
        is_person = "text/html" in headers.get("accept", "") and not scope["path"].startswith(f"{PREFIX}/")
        return self._behind.problem_page(answer, scope) if is_person and scope["type"] == "http" else problem_response(answer)

    def _refuse_foreign_page(self, scope: AsgiScope, headers: Mapping[str, str], caller: SignedIn) -> None:
        """Refuse what a page of another origin makes a browser send: changes, and websockets, which no browser restricts."""
        if not caller.is_browser or (scope["type"] == "http" and scope["method"] in _SAFE and not _is_graphql(scope)):
            return
        if not _is_own_page(headers):
            raise Refusal(403, "CSRF_INVALID", "Pages of other origins may not do this. Scripts must send a token instead of a cookie.")

    def _refuse_too_many(self, scope: AsgiScope, caller: SignedIn) -> None:
        seconds = self._limits.seconds_to_wait(caller.caller.name, is_action=scope["method"] not in _SAFE)
        if seconds:
            wait = str(max(1, round(seconds + 0.5)))
            raise Refusal(429, "RATE_LIMITED", f"Too many requests. Try again in {wait} s.", headers={"Retry-After": wait})

    async def _sign_in(self, scope: AsgiScope, headers: Mapping[str, str], receive: Receive) -> Response:
        query = scope["query_string"].decode("latin-1")
        if scope["method"] in {"GET", "HEAD"}:
            return sign_in.page(query)
        if scope["method"] != "POST":
            return PlainTextResponse("Method not allowed", 405, {"Allow": "GET, POST"})
        if not _is_own_page(headers):
            raise Refusal(403, "CSRF_INVALID", "Sign in on the page of this server.")
        form = await _form(receive)
        return await to_thread.run_sync(
            lambda: sign_in.sign_in(self._callers.services, query, form, is_secure=self._is_secure or scope["scheme"] == "https")
        )


@dataclass
class _Answering:
    """Sends an answer with its request id, and notes its status."""

    send: Send
    request_id: str
    status: int = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
        await self.send(message)


def _is_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a page of this server sent a request, by the headers that browsers set and pages cannot."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(headers.get("origin", "")).netloc == headers.get("host")


def _is_graphql(scope: AsgiScope) -> bool:
    """Whether a read asks Dagster's GraphQL, which carries out mutations that come as GET, too."""
    return scope["path"] == f"{DAGSTER_PATH}/graphql" and scope["query_string"] != b""


def _refuse_stranger(scope: AsgiScope, headers: Mapping[str, str]) -> Response:
    wants_page = scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    if wants_page:
        query = scope["query_string"].decode("latin-1")
        return sign_in.to_sign_in(f"{scope['path']}{'?' if query else ''}{query}")
    raise Refusal(401, "AUTHENTICATION_REQUIRED", "This request needs a token.", headers={"WWW-Authenticate": "Bearer"})


async def _answer(response: Response, scope: AsgiScope, receive: Receive, send: "_Answering") -> None:
    """Send an answer. A websocket that is not accepted is closed, which the client sees as 403."""
    if scope["type"] == "websocket":
        await receive()
        await send.send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})
        return
    await response(scope, receive, send)


async def _form(receive: Receive) -> bytes:
    body = bytearray()
    with anyio.fail_after(10):
        while len(body) <= sign_in.MOST_FORM_BYTES:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                return bytes(body)
    raise Refusal(413, "VALIDATION_ERROR", "The form is too large.")


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
