"""The shape of every answer: envelope, problems, request id, ETag, tokens at rest."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.factories import query, register, server


@pytest.fixture
def running(store: Database, tmp_path: Path) -> Iterator[Site]:
    register(store, "orders")
    with site(store, tmp_path, {"orders": server()}) as running:
        yield running


def test_an_answer_has_the_envelope_of_the_documents_and_a_request_id(running: Site) -> None:
    with running.client() as client:
        answer = client.get("/me", headers={"X-Request-Id": "my-request-1"})
    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"] == "my-request-1"
    document = answer.json()
    assert set(document) == {"success", "error", "message", "timestamp", "data"}
    assert (document["success"], document["error"], document["data"]["scope"]) == (True, False, "read")


def test_a_problem_has_the_names_of_the_standard_and_of_the_documents(running: Site) -> None:
    with running.client() as client:
        answer = client.get("/instances/999")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:whalefall:problem:resource-not-found"
    assert (problem["status"], problem["message_code"], problem["success"], problem["error"]) == (404, "RESOURCE_NOT_FOUND", False, True)
    assert problem["instance"] == "/api/v1/instances/999"
    assert {"title", "detail", "error_id", "recoverable", "suggestions", "timestamp", "message"} <= set(problem)


@pytest.mark.parametrize("secret", ["", "Bearer", "Bearer wf_x", "Basic d2Y6eA==", "Bearer " + "x" * 5000])
def test_without_a_valid_token_nothing_is_answered(running: Site, secret: str) -> None:
    answer = httpx.get(f"{running.url}/api/v1/instances", headers={"Authorization": secret} if secret else {}, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["message_code"] == "AUTHENTICATION_REQUIRED"


def test_health_needs_no_token_and_tells_no_detail(running: Site) -> None:
    for path in ("/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz"):
        answer = httpx.get(f"{running.url}{path}", trust_env=False)
        assert (answer.status_code, list(answer.json()["data"])) == (200, ["status"]), path


def test_a_token_is_shown_once_and_only_its_digest_is_stored(running: Site) -> None:
    with running.client(Scope.ADMIN) as client:
        made = client.post("/tokens", json={"name": "nightly", "scope": "operate", "lifetime_days": 3}).json()["data"]
        listed = client.get("/tokens").text
    assert made["secret"].startswith("wf_")
    assert made["secret"] not in listed
    rows = query(running.store, "select t::text from api_tokens as t") + query(running.store, "select r::text from api_requests as r")
    assert made["secret"] not in str(rows)
    with httpx.Client(base_url=f"{running.url}/api/v1", headers={"Authorization": f"Bearer {made['secret']}"}, trust_env=False) as client:
        assert client.get("/me").json()["data"]["scope"] == "operate"
        (used,) = query(running.store, "select last_used_on from api_tokens where name = 'nightly'")
        assert used[0] == running.services.today()


def test_a_revoked_or_expired_token_ends(running: Site) -> None:
    with running.client(Scope.ADMIN) as admin, running.client() as client:
        assert client.get("/me").status_code == 200
        name = client.get("/me").json()["data"]["name"]
        (token,) = [token for token in admin.get("/tokens").json()["data"] if token["name"] == name]
        assert admin.delete(f"/tokens/{token['token_id']}").status_code == 200
        assert admin.delete(f"/tokens/{token['token_id']}").status_code == 404
    with running.client() as client:
        query(
            running.store, "update api_tokens set created_at = now() - interval '2 day', expires_at = now() - interval '1 day' returning 1"
        )
        assert client.get("/me").status_code == 401


def test_an_unchanged_answer_is_not_sent_again(running: Site) -> None:
    with running.client() as client:
        first = client.get("/instances")
        etag = first.headers["ETag"]
        again = client.get("/instances", headers={"If-None-Match": etag})
        cheap = client.get("/instances", headers={"If-None-Match": etag})
        assert (first.status_code, again.status_code, cheap.status_code) == (200, 304, 304)
        assert again.content == b""
        register(running.store, "another")
        changed = client.get("/instances", headers={"If-None-Match": etag})
        assert changed.status_code == 200
        assert changed.headers["ETag"] != etag


def test_what_was_changed_is_audited_with_its_caller_and_status(running: Site) -> None:
    with running.client(Scope.ADMIN) as admin, running.client() as reader:
        admin.post("/instances/1/actions/disable")
        reader.post("/instances/1/actions/disable")
        audited = admin.get("/audit").json()["data"]["items"]
    assert [(row["method"], row["path"], row["status"]) for row in audited] == [
        ("POST", "/api/v1/instances/1/actions/disable", 403),
        ("POST", "/api/v1/instances/1/actions/disable", 200),
    ]


def test_the_documentation_loads_nothing_from_elsewhere(running: Site) -> None:
    with running.client() as client:
        page = client.get("/docs")
        document = client.get("/openapi.json").json()
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "://" not in page.text
    assert document["openapi"] == "3.1.0"
