"""The routes of an area. An endpoint is a function that calls a verb and returns its dataclasses; the rest is done here alike for all.

Checking the scope, the envelope, the ETag and what the OpenAPI document says about answers.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, cast, get_args, get_origin

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from whalefall_pipelines.api_base.answers import Known, Reply, Success, cached, encode, envelope, etag_of, is_fresh, not_modified
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.problems import Problem, Refusal
from whalefall_pipelines.api_base.services import Services, caller_of
from whalefall_pipelines.store.contents import read_contents

Endpoint = Callable[..., Any]
# What any request may be answered with: bad parameters, no sign-in, no scope, too many requests, failures of ours.
_ALWAYS = (400, 401, 403, 429, 500, 503)
_OF_ACTIONS = (408, 409, 413, 415, 422)
# What is known of answers that an endpoint makes itself.
_OBJECT, _TEXT = {"type": "object"}, {"type": "string"}


@dataclass(frozen=True, slots=True)
class Guard:
    """What a route needs; without a scope it is open to everybody. A generated test compares it with what is refused."""

    scope: Scope | None = Scope.READ
    needs_access: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """What the OpenAPI document says about it."""
        return {
            "x-scope": self.scope or "none",
            "x-needs-access": self.needs_access,
            "security": [{"token": list[str]()}] if self.scope else [],
        }


@dataclass(frozen=True)
class Routes:
    """The routes of one area, under one heading of the documentation."""

    heading: str
    router: APIRouter = field(default_factory=APIRouter)

    def get(
        self,
        *paths: str,
        needs_access: bool = False,
        scope: Scope | None = Scope.READ,
        problems: Sequence[int] = (),
        media_types: Sequence[str] = (),
    ) -> Any:
        """Register a reading endpoint under these paths; each but the first is an alias.

        An endpoint that makes its answers itself names their media types.
        """
        return partial(self._add, "GET", paths, Guard(scope, needs_access), problems, 200, media_types=media_types)

    def post(
        self,
        path: str,
        scope: Scope = Scope.OPERATE,
        *,
        needs_access: bool = False,
        status: int = 200,
        problems: Sequence[int] = (),
    ) -> Any:
        """Register an action."""
        return partial(self._add, "POST", (path,), Guard(scope, needs_access), (*_OF_ACTIONS, *problems), status)

    def patch(self, path: str, scope: Scope, *, problems: Sequence[int] = ()) -> Any:
        """Register an action that changes fields of something."""
        return partial(self._add, "PATCH", (path,), Guard(scope), (*_OF_ACTIONS, *problems), 200)

    def delete(self, path: str, scope: Scope, *, problems: Sequence[int] = ()) -> Any:
        """Register an action that ends something."""
        return partial(self._add, "DELETE", (path,), Guard(scope), (*_OF_ACTIONS, *problems), 200)

    def _add(
        self,
        method: str,
        paths: Sequence[str],
        guard: Guard,
        problems: Sequence[int],
        status: int,
        endpoint: Endpoint,
        media_types: Sequence[str] = (),
    ) -> Endpoint:
        returned = inspect.signature(endpoint).return_annotation
        data = get_args(returned)[0] if get_origin(returned) is Reply else returned
        is_raw = isinstance(data, type) and issubclass(data, Response)
        model: type[BaseModel] | None = None if is_raw else Success[data]
        statuses = sorted({*_ALWAYS, *problems, *(() if "{" not in paths[0] else (404,))})
        for number, path in enumerate(paths):
            self.router.add_api_route(
                path,
                endpoint if is_raw else _answering(endpoint, is_read=method == "GET"),
                methods=[method],
                status_code=status,
                response_model=model,
                response_class=Response if is_raw else JSONResponse,
                responses=_responses(statuses, media_types, may_be_unchanged=method == "GET" and not is_raw),
                dependencies=[Depends(_needs(guard.scope, needs_access=guard.needs_access))] if guard.scope else [],
                tags=[self.heading],
                name=f"{endpoint.__name__}{number or ''}",
                operation_id=f"{endpoint.__name__}{number or ''}",
                summary=(inspect.getdoc(endpoint) or endpoint.__name__).split("\n", 1)[0].rstrip("."),
                openapi_extra=guard.document,
            )
        return endpoint


def _responses(statuses: Sequence[int], media_types: Sequence[str], *, may_be_unchanged: bool) -> dict[int | str, dict[str, Any]]:
    responses: dict[int | str, dict[str, Any]] = {code: {"model": Problem, "description": HTTPStatus(code).phrase} for code in statuses}
    if media_types:
        responses[200] = {"content": {kind: {"schema": _OBJECT if kind == "application/json" else _TEXT} for kind in media_types}}
    return responses | ({304: {"description": "Not modified"}} if may_be_unchanged else {})


def _needs(scope: Scope, *, needs_access: bool) -> Callable[[Request], Any]:
    async def check(request: Request) -> None:
        caller = caller_of(request)
        if not caller.may(scope, needs_access=needs_access):
            needed = f"the scope {scope}" + (" and access to accounts" if needs_access else "")
            raise Refusal(403, "PERMISSION_DENIED", f"This request needs {needed}; {caller.name!r} has the scope {caller.scope}.")

    return check


def _answering(endpoint: Endpoint, *, is_read: bool) -> Endpoint:
    """The endpoint with a request as one more parameter, which turns what the verb returns into an answer."""

    def answer(whalefall_request: Request, **values: Any) -> Response:
        return (
            _read(whalefall_request, endpoint, values)
            if is_read
            else _reply(endpoint(**values), whalefall_request.scope["route"].status_code)
        )

    signature = inspect.signature(endpoint)
    own = inspect.Parameter("whalefall_request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in signature.parameters.values()]
    answer.__signature__ = signature.replace(parameters=[own, *parameters], return_annotation=Response)  # pyright: ignore[reportFunctionMemberAccess]
    answer.__name__, answer.__doc__ = endpoint.__name__, endpoint.__doc__
    return answer


def _reply(returned: object, status: int) -> Response:
    if isinstance(returned, Reply):
        reply = cast("Reply[Any]", returned)
        return envelope(encode(reply.data), message=reply.message, status=reply.status, headers=reply.headers)
    return envelope(encode(returned), status=status)


def _read(request: Request, endpoint: Endpoint, values: dict[str, Any]) -> Response:
    """Answer a read: at once if the client has the answer and the store contains the same as when it was made."""
    services: Services = request.app.state.services
    known: Known = request.app.state.known
    if_none_match = request.headers.get("if-none-match")
    if if_none_match is None:
        data = encode(endpoint(**values))
        return envelope(data, headers=cached(etag_of(data)))
    url = f"{request.url.path}?{request.url.query}"
    contents = f"{read_contents(services.reader)} {services.today()}"  # before the data, which may only be newer
    if (etag := known.find(url, contents)) and is_fresh(if_none_match, etag):
        return not_modified(etag)
    data = encode(endpoint(**values))
    etag = etag_of(data)
    known.remember(url, contents, etag)
    return not_modified(etag) if is_fresh(if_none_match, etag) else envelope(data, headers=cached(etag))
