"""Dagster's web server as an app below /dagster, and its GraphQL as a function. The only place that imports Dagster for the web.

Three of these imports are internal to Dagster; a test starts the app, so that an upgrade that moves them fails there.
"""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
from anyio import from_thread
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.version import __version__
from dagster_webserver.webserver import DagsterWebserver

from whalefall_pipelines.api.actions import Asgi
from whalefall_pipelines.errors import LaunchError
from whalefall_pipelines.gate.app import DAGSTER_PATH

# As Dagster's own command sets them.
STATEMENT_MILLISECONDS = 15_000
RECYCLE_SECONDS = 3600
MOST_CONNECTIONS = 20
POLL_MILLISECONDS = 2000
_ASK_SECONDS = 30


@contextmanager
def dagster_app(workspace: Path) -> Generator[Asgi]:
    """Dagster's web server for a workspace file, with the instance of DAGSTER_HOME. Its paths begin with /dagster."""
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(STATEMENT_MILLISECONDS, RECYCLE_SECONDS, MOST_CONNECTIONS)
        target = WorkspaceFileTarget([str(workspace)])
        with WorkspaceProcessContext(instance, version=__version__, workspace_load_target=target) as context:
            yield DagsterWebserver(context, DAGSTER_PATH, POLL_MILLISECONDS).create_asgi_app()  # pyright: ignore[reportUnknownMemberType]


def asking(app: Asgi) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """A function that sends GraphQL to this app from a thread of a request, without a connection."""

    async def post(document: Mapping[str, Any]) -> Mapping[str, Any]:
        transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]
        async with httpx.AsyncClient(transport=transport, base_url="http://dagster", timeout=_ASK_SECONDS) as client:
            response = await client.post(f"{DAGSTER_PATH}/graphql", json=dict(document))
        return _read(response)

    return lambda document: from_thread.run(post, document)


def asking_at(url: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """A function that sends GraphQL to a web server of Dagster elsewhere."""

    def post(document: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return _read(httpx.post(url, json=dict(document), timeout=_ASK_SECONDS, trust_env=False))
        except httpx.HTTPError as error:
            raise LaunchError(f"Dagster's web server does not answer: {error}.") from error

    return post


def _read(response: httpx.Response) -> Mapping[str, Any]:
    try:
        answer = response.json()
    except json.JSONDecodeError as error:
        raise LaunchError(f"Dagster's web server answered with {response.status_code} and no JSON.") from error
    if not isinstance(answer, dict):
        raise LaunchError("Dagster's web server did not answer with GraphQL.")
    return cast("dict[str, Any]", answer)
