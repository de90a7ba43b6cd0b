"""No mutation of Dagster's schema passes the gate for whoever only reads: by POST, by GET, or over a websocket."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from dagster_graphql.schema import create_schema
from graphql import GraphQLField
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.gate.dagster_audit import AuditedDagster
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.api.site import Site, services_over, site
from whalefall_pipelines_tests.conftest import cloned_store


def mutations() -> dict[str, GraphQLField]:
    root = create_schema().graphql_schema.mutation_type
    assert root
    return root.fields


REACHED: list[str] = []
_GRAPHQL = {"Content-Type": "application/graphql"}


async def recording_dagster(scope: Any, receive: Any, send: Any) -> None:
    """An app in the place of Dagster, which notes that it was reached."""
    REACHED.append(f"{scope['type']} {scope['path']}")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture(scope="module")
def gated(postgres_server: PostgresCluster, store_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with cloned_store(postgres_server, store_template) as store:
        audited = AuditedDagster(recording_dagster, services_over(store))
        with site(store, tmp_path_factory.mktemp("home"), dagster=audited) as running:
            yield running


def test_no_mutation_is_passed_on_for_a_reader(gated: Site) -> None:
    names = mutations()
    assert {"launchRun", "terminateRun", "deleteRun", "wipeAssets", "startSchedule"} <= set(names)
    headers = {"Authorization": f"Bearer {gated.token(Scope.READ, has_access=True)}"}
    with httpx.Client(base_url=gated.url, trust_env=False) as client:
        for name, field in names.items():
            variables = ", ".join(f"${argument}: {described.type}" for argument, described in field.args.items())
            arguments = ", ".join(f"{argument}: ${argument}" for argument in field.args)
            text = f"mutation m{f'({variables})' if variables else ''} {{ {name}{f'({arguments})' if arguments else ''} {{ __typename }} }}"
            for stranger, status in (({}, 401), (headers, 403)):
                for path in ("/dagster/graphql", "/dagster/graphql/", "//dagster/graphql"):
                    posted = client.post(path, json={"query": text}, headers=stranger)
                    assert posted.status_code in {status, 404, 405}, (name, path)
                asked = client.get(f"/dagster/graphql?query={quote(text)}", headers=stranger)
                assert asked.status_code == status, name
    assert REACHED == []


def test_a_websocket_is_not_opened_for_a_reader_or_a_stranger(gated: Site) -> None:
    address = gated.url.replace("http:", "ws:") + "/dagster/graphql"
    for headers in ({}, {"Authorization": f"Bearer {gated.token(Scope.READ)}"}):
        with pytest.raises(InvalidStatus), connect(address, additional_headers=headers, subprotocols=["graphql-ws"]) as socket:  # type: ignore[list-item]
            socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": "mutation { reloadWorkspace { __typename } }"}}))
    assert REACHED == []


def test_what_who_operates_changes_in_dagster_is_audited(gated: Site) -> None:
    mutation = "mutation Launch { launchRun { __typename } } query Ask { version }"
    with httpx.Client(base_url=gated.url, headers={"Authorization": f"Bearer {gated.token(Scope.OPERATE)}"}, trust_env=False) as client:
        statuses = [
            client.post("/dagster/graphql", json={"query": "{ version }"}).status_code,
            client.post("/dagster/graphql", json={"query": mutation, "operationName": "Ask"}).status_code,
            client.post("/dagster/graphql", json={"query": mutation, "operationName": "Launch"}).status_code,
            client.get(
                f"/dagster/graphql?query={quote('mutation { reloadWorkspace { __typename } wipeAssets { __typename } }')}"
            ).status_code,
            client.post(
                "/dagster/graphql", content=b"mutation { ...f } fragment f on Mutation { deleteRun { __typename } }", headers=_GRAPHQL
            ).status_code,
            client.post("/dagster/graphql", content=b"{", headers={"Content-Type": "application/json"}).status_code,
            client.post("/dagster/report_asset_materialization/sizes", json={}).status_code,
            client.get("/dagster/runs").status_code,
        ]
    assert statuses == [200] * 8
    assert len(REACHED) == 8
    REACHED.clear()
    with gated.client(Scope.ADMIN) as admin:
        audited = admin.get("/audit").json()["data"]["items"]
    assert [(row["method"], row["path"], row["status"]) for row in reversed(audited)] == [
        ("POST", "/dagster/graphql launchRun", 200),
        ("GET", "/dagster/graphql reloadWorkspace wipeAssets", 200),
        ("POST", "/dagster/graphql fragment", 200),
        ("POST", "/dagster/report_asset_materialization/sizes", 200),
    ]
