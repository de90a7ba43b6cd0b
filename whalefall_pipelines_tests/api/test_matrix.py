"""The authorization matrix: every route with every kind of caller. What is granted is written here, apart from the code."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from whalefall_pipelines.api.app import create_app
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import site
from whalefall_pipelines_tests.factories import register

# Everything else is read, or operate if it is no GET.
OPEN = {"GET /healthz", "GET /readyz"}
ADMIN = {
    "GET /tokens",
    "POST /tokens",
    "DELETE /tokens/{token_id}",
    "GET /audit",
    "POST /instances",
    "POST /instances/actions/import",
    "PATCH /instances/{instance_id}",
    "DELETE /instances/{instance_id}",
    "POST /instances/{instance_id}/actions/enable",
    "POST /instances/{instance_id}/actions/disable",
    "POST /partitions",
    "POST /partitions/actions/cleanup",
    "POST /accounts/classifications/rules/actions/disable",
}
ACCESS = {
    "GET /accounts",
    "GET /accounts/observations",
    "GET /instances/{instance_id}/account",
    "GET /changes",
    "GET /who-can",
    "GET /accounts/classifications/members",
    "GET /accounts/classifications/explain",
    "POST /accounts/classifications/assignments",
    "POST /accounts/classifications/assignments/actions/end",
}
ROUTES = sorted(
    f"{method.upper()} {path.removeprefix('/api/v1')}"
    for path, operations in create_app().openapi()["paths"].items()
    for method in operations
)
CALLERS: tuple[tuple[Scope | None, bool], ...] = ((None, False), *product(Scope, (False, True)))
RANK = {None: 0, Scope.READ: 1, Scope.OPERATE: 2, Scope.ADMIN: 3}


def expected_status(route: str, scope: Scope | None, *, has_access: bool) -> int | None:
    """401, 403, or None if the caller may pass."""
    if route in OPEN:
        return None
    if scope is None:
        return 401
    needed = 3 if route in ADMIN else 1 if route.startswith("GET") else 2
    return None if RANK[scope] >= needed and (has_access or route not in ACCESS) else 403


@pytest.fixture(scope="module")
def clients(
    postgres_server: object, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[tuple[Scope | None, bool], httpx.Client]]:
    """A client for each kind of caller, over one store without any server."""
    yield from _clients(request, tmp_path_factory.mktemp("home"))


def _clients(request: pytest.FixtureRequest, home: Path) -> Iterator[dict[tuple[Scope | None, bool], httpx.Client]]:
    from whalefall_pipelines_tests.conftest import cloned_store  # noqa: PLC0415

    with cloned_store(request.getfixturevalue("postgres_server"), request.getfixturevalue("store_template")) as store:
        register(store, "orders")
        with site(store, home) as running:
            made = {caller: running.client(caller[0], has_access=caller[1]) for caller in CALLERS}
            yield made
            for client in made.values():
                client.close()


def test_the_granted_routes_exist() -> None:
    assert set(ROUTES) >= (OPEN | ADMIN | ACCESS)


@pytest.mark.parametrize("route", ROUTES)
def test_everything_that_is_not_granted_is_refused(route: str, clients: dict[tuple[Scope | None, bool], httpx.Client]) -> None:
    method, path = route.split()
    path = re.sub(r"\{session_id\}", str(UUID(int=1)), path)
    path = re.sub(r"\{database_name\}", "app", re.sub(r"\{\w+_id\}", "999999", path))
    for caller, client in clients.items():
        expected = expected_status(route, caller[0], has_access=caller[1])
        status = client.request(method, path, json={} if method == "POST" else None).status_code
        if expected is None:
            assert status not in {401, 403}, (route, caller)
            assert status < 500, (route, caller, status)
        else:
            assert status == expected, (route, caller)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
def test_no_other_method_passes(method: str, clients: dict[tuple[Scope | None, bool], httpx.Client]) -> None:
    answer = clients[Scope.ADMIN, True].request(method, "/coverage")
    assert (answer.status_code, answer.json()["message_code"]) == (405, "METHOD_NOT_ALLOWED")


def test_the_document_says_what_each_route_needs(store: Database) -> None:
    for path, operations in create_app().openapi()["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path.removeprefix('/api/v1')}"
            needed = "none" if route in OPEN else "admin" if route in ADMIN else "read" if method == "get" else "operate"
            assert (operation["x-scope"], operation["x-needs-access"]) == (needed, route in ACCESS), route
