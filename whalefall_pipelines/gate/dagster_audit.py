"""Writes down what people change in the Dagster UI: the mutations that they send to its GraphQL, and events that they report."""

import json
from collections.abc import Mapping, MutableMapping
from typing import Any, cast
from urllib.parse import parse_qs

from anyio import CancelScope, to_thread
from graphql import FieldNode, GraphQLError, OperationDefinitionNode, OperationType, parse

from whalefall_pipelines.api import audit
from whalefall_pipelines.api.actions import Asgi, Message, Receive, Send, read_body, replaying
from whalefall_pipelines.api.store import Asked, Ended, complete_request
from whalefall_pipelines.api_base.callers import Caller
from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.gate.app import DAGSTER_PATH

GRAPHQL_PATH = f"{DAGSTER_PATH}/graphql"


class AuditedDagster:
    """Dagster's app with its changes in the audit log. Everything else passes unchanged."""

    def __init__(self, app: Asgi, services: Services) -> None:
        """Wrap an app."""
        self._app, self._services = app, services

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] != "http" or (scope["method"] != "POST" and scope["path"].rstrip("/") != GRAPHQL_PATH):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        body = await read_body(headers, receive)
        path: str = scope["path"]
        names = mutations_of(body, headers.get("content-type", ""), scope["query_string"]) if path.rstrip("/") == GRAPHQL_PATH else ()
        if path.rstrip("/") == GRAPHQL_PATH and not names:
            await self._app(scope, replaying(body), send)
            return
        await self._pass_change(scope, " ".join((path, *names)), body, send)

    async def _pass_change(self, scope: MutableMapping[str, Any], change: str, body: bytes, send: Send) -> None:
        caller: Caller = scope["whalefall.caller"]
        request_id: str = scope["whalefall.request_id"]
        asked = Asked(request_id, self._services.clock(), caller.name, caller.token_id, scope["method"], change)
        await to_thread.run_sync(audit.begin, self._services.writer, asked)
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, replaying(body), noting)
        finally:
            with CancelScope(shield=True):
                ended = Ended(request_id, status, self._services.clock())
                await to_thread.run_sync(complete_request, self._services.writer, ended)


def mutations_of(body: bytes, content_type: str, query_string: bytes) -> tuple[str, ...]:
    """The mutations in a request to GraphQL, which may be JSON, GraphQL, or parameters of the address."""
    request = _request_of(body, content_type, query_string)
    try:
        document = parse(str(request.get("query")))
    except (GraphQLError, RecursionError):
        return ()  # Dagster refuses it
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if node.name and node.name.value == request.get("operationName")] or operations
    return tuple(
        field.name.value if isinstance(field, FieldNode) else "fragment"
        for node in chosen
        if node.operation is OperationType.MUTATION
        for field in node.selection_set.selections
    )


def _request_of(body: bytes, content_type: str, query_string: bytes) -> Mapping[str, Any]:
    if "application/json" in content_type:
        try:
            document = json.loads(body)
        except ValueError:
            return {}
        return cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    if "application/graphql" in content_type:
        return {"query": body.decode("utf-8", "replace")}
    return {name: values[-1] for name, values in parse_qs(query_string.decode("latin-1")).items()}
