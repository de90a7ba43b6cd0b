"""A day of a script with a token, over HTTP, by calls that the OpenAPI document has, and by nothing else."""

import re
from typing import Any

import httpx

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines_tests.api.site import Site


class Script:
    """Sends only what the document describes, and expects only what it describes."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.paths: dict[str, Any] = self.http.get("/openapi.json").json()["paths"]

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """An answer, whose route, parameters, status and form are documented."""
        described = next(operations for template, operations in self.paths.items() if re.fullmatch(_pattern(template), f"/api/v1{path}"))
        operation = described[method.lower()]
        assert set(options.get("params", {})) <= {parameter["name"] for parameter in operation.get("parameters", ())}
        answer = self.http.request(method, f"/api/v1{path}", **options)
        documented = operation["responses"][str(answer.status_code)]
        assert answer.headers["Content-Type"].partition(";")[0] in documented["content"]
        return answer


def _pattern(template: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))


def test_a_script_registers_tests_collects_reads_exports_and_cancels(running: Site) -> None:
    running.fleet.servers["new"] = running.fleet.servers["orders"]
    with httpx.Client(
        base_url=running.url, headers={"Authorization": f"Bearer {running.token(Scope.ADMIN)}"}, timeout=120, trust_env=False
    ) as http:
        spend_a_day(Script(http))


def spend_a_day(script: Script) -> None:
    body = {"name": "new", "engine": "postgresql", "host": "db.example", "username": "monitor", "check_identity": False}
    created = script.ask("POST", "/instances", json=body)
    assert created.status_code == 201
    path = created.headers["Location"].removeprefix("/api/v1")
    instance_id = created.json()["data"]["instance_id"]
    assert script.ask("POST", f"{path}/actions/test").json()["data"]["is_fine"]
    assert script.ask("POST", f"{path}/actions/sync-capacity").json()["data"]["total_bytes"] == 3000
    rows = script.ask("GET", "/databases/sizes", params={"instance_id": instance_id}).json()["data"]["items"]
    assert [(row["database_name"], row["total_bytes"]) for row in rows] == [("app", 1000), ("shop", 2000)]
    export = script.ask("GET", "/export/database_sizes", params={"instance_id": instance_id}, headers={"Accept": "application/x-ndjson"})
    assert len(export.content.splitlines()) == 2
    keyed = {"Idempotency-Key": "the-week"}
    launched = script.ask("POST", "/capacity/aggregations/current", json={"period_type": "weekly"}, headers=keyed)
    assert launched.status_code == 202
    session = launched.headers["Location"].removeprefix("/api/v1")
    assert script.ask("GET", session).json()["data"]["status"] == "queued"
    assert script.ask("POST", f"{session}/actions/cancel").json()["data"]["status"] == "cancelled"
    assert script.ask("GET", session).json()["data"]["status"] == "cancelled"
    assert script.ask("DELETE", path).status_code == 200
    audited = script.ask("GET", "/audit").json()["data"]["items"]
    assert [row["status"] for row in audited] == [200, 202, 202, 200, 200, 201]
