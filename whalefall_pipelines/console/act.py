"""Carries out an action: reads its form, asks the API as the same caller, and shows the answer as a page.

The API checks the scope, validates, writes the audit log, and does once what is sent twice. The gate has refused other origins before.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import anyio
from starlette.requests import Request

from whalefall_pipelines.api.actions import MOST_BYTES, Asgi
from whalefall_pipelines.api.app import PREFIX
from whalefall_pipelines.api_base.problems import Problem, Refusal, problem_body, problem_of_error, problem_of_refusal
from whalefall_pipelines.console.actions import ACTIONS
from whalefall_pipelines.console.actions.action import Action, Values
from whalefall_pipelines.console.blocks import Block, Forms, Links, Page, problem, text
from whalefall_pipelines.console.problems import next_step
from whalefall_pipelines.errors import InputError, NotFoundError, WhalefallError

_SECONDS = 10
# A path of this server. A browser may leave out a slash, or take a backslash for one.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}")
_PARAMETER = re.compile(r"\{(\w+)\}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API: an envelope with data, or a problem."""

    status: int
    document: Mapping[str, Any]

    @property
    def is_success(self) -> bool:
        """Whether the request was fulfilled."""
        return self.status < 400


async def act(api: Asgi, request: Request) -> tuple[Page, int]:
    """The page with the answer to a form, and its status.

    Raises:
        NotFoundError: there is no such action.
        InputError: the form is too large or incomplete.
    """
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        raise NotFoundError("This action does not exist.")
    values = await _read_form(request)
    key, back = values.pop("key", ""), values.pop("back", "/")
    parameters = {name: values.pop(name, "") for name in _PARAMETER.findall(action.route)}
    if not all(map(_IDENTIFIER.fullmatch, parameters.values())):
        raise InputError("The form is incomplete. Open the page again.")
    path = f"{PREFIX}{action.route.format_map(parameters)}"
    reply = await _ask(api, request, _Call(action.method, path, action.body(values), key))
    if reply.is_success:
        return action.show(reply.document["data"], values), 200
    return _refused(action, reply, {**values, **parameters}, back), reply.status


def _refused(action: Action, reply: Reply, values: Values, back: str) -> Page:
    """Why nothing was done, with the form as it was filled in."""
    blocks: list[Block] = [problem("Nothing was done.", str(reply.document.get("detail", "The API did not answer.")))]
    blocks += next_step(str(reply.document.get("message_code")))
    if reply.status not in {403, 404} and action.fields:
        blocks.append(Forms([action.form(values, is_open=True)]))
    return Page(action.title, "", [*blocks, Links([text("Back", back if _LOCAL.fullmatch(back) else "/")])])


async def _read_form(request: Request) -> dict[str, str]:
    body = bytearray()
    with anyio.move_on_after(_SECONDS) as deadline:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                raise InputError(f"The form has more than {MOST_BYTES} bytes.")
    if deadline.cancelled_caught:
        raise InputError("The form did not arrive in time.")
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    return {name: content.replace("\r\n", "\n").strip() for name, content in pairs}


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to the API. With a key it is carried out once, however often it comes."""

    method: str
    path: str
    body: Mapping[str, Any]
    key: str


async def _ask(api: Asgi, request: Request, call: _Call) -> Reply:
    """Ask the API within this process, as who sent the form."""
    sent = json.dumps(call.body).encode() if call.method != "DELETE" else b""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(sent)).encode())]
    if call.key:
        headers.append((b"idempotency-key", call.key.encode("ascii", "replace")))
    scope: MutableMapping[str, Any] = {
        **{name: request.scope[name] for name in ("type", "asgi", "http_version", "scheme", "client", "server")},
        **{name: request.scope[name] for name in ("whalefall.caller", "whalefall.request_id")},
        "method": call.method,
        "path": call.path,
        "raw_path": call.path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
    }
    answer = _Answer()
    try:
        await api(scope, _once(sent), answer)
    except Refusal as refusal:
        return _reply_of(problem_of_refusal(refusal, call.path))
    except WhalefallError as error:
        return _reply_of(problem_of_error(error, call.path))
    return Reply(answer.status, json.loads(bytes(answer.body)))


def _reply_of(refused: Problem) -> Reply:
    return Reply(refused.status, json.loads(problem_body(refused)))


class _Answer:
    """Receives the answer of an app."""

    def __init__(self) -> None:
        self.status, self.body = 500, bytearray()

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


def _once(body: bytes) -> Callable[[], Awaitable[MutableMapping[str, Any]]]:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> MutableMapping[str, Any]:
        if messages:
            return messages.pop()
        await anyio.sleep_forever()
        raise AssertionError

    return receive
