"""The gate: signing in and out, foreign pages, proxies, limits, what it stands before, and where it may listen."""

import ipaddress
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.gate.callers import TrustedProxy
from whalefall_pipelines.gate.limits import Limits, Rates
from whalefall_pipelines.gate.serve import Listen, refuse_open
from whalefall_pipelines.gate.sign_in import local_path
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.conftest import cloned_store
from whalefall_pipelines_tests.factories import query, register, server

PROXY = TrustedProxy(
    "X-User", "X-Groups", (ipaddress.ip_network("127.0.0.1/32"),), {"dba": Scope.ADMIN, "staff": Scope.READ}, frozenset({"dba"})
)


async def fake_dagster(scope: Any, receive: Any, send: Any) -> None:
    """An app that answers everything, and accepts every websocket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "connected"})
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps({"path": scope["path"]}).encode()})


@pytest.fixture(scope="module")
def gated(postgres_server: PostgresCluster, store_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One web process for all tests, with an app in the place of Dagster."""
    with cloned_store(postgres_server, store_template) as store:
        register(store, "orders")
        with site(store, tmp_path_factory.mktemp("home"), {"orders": server()}, dagster=fake_dagster) as running:
            yield running


def browser(running: Site) -> httpx.Client:
    return httpx.Client(base_url=running.url, trust_env=False, follow_redirects=False)


@contextmanager
def signed_in(running: Site, scope: Scope = Scope.OPERATE) -> Generator[httpx.Client]:
    """A browser that signed in with a token of this scope."""
    with browser(running) as client:
        answer = client.post("/sign-in", data={"token": running.token(scope)}, headers={"Origin": running.url})
        assert answer.status_code == 303, answer.text
        yield client


def test_a_browser_is_sent_to_the_form_and_back(gated: Site) -> None:
    with browser(gated) as client:
        sent = client.get("/dagster/assets?x=1", headers={"Accept": "text/html"})
        assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in?next=/dagster/assets%3Fx%3D1")
        form = client.get(sent.headers["Location"])
        assert (form.status_code, "script" in form.text) == (200, False)
        assert form.headers["Content-Security-Policy"].startswith("default-src 'none'")
        answer = client.post(sent.headers["Location"], data={"token": gated.token(Scope.OPERATE)}, headers={"Origin": gated.url})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dagster/assets?x=1")
        cookie = answer.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert client.get("/dagster/assets").json() == {"path": "/dagster/assets"}
        assert client.get("/api/v1/me").json()["data"]["scope"] == "operate"


def test_a_link_signs_in_once_and_only_when_the_button_is_pressed(gated: Site) -> None:
    secret = tokens.create_link(gated.store, scope=Scope.ADMIN, has_access=True, created_by="me", now=gated.services.clock())
    with browser(gated) as client, browser(gated) as second:
        for _ in range(2):  # a program that previews links
            assert secret in client.get(f"/sign-in?link={secret}").text
        assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
        headers = {"Origin": gated.url}
        assert client.post("/sign-in", data={"token": secret}, headers=headers).status_code == 303
        assert second.post("/sign-in", data={"token": secret}, headers=headers).status_code == 403
        me = client.get("/api/v1/me").json()["data"]
        assert (me["name"], me["scope"], me["has_access"]) == ("me", "admin", True)


def test_signing_out_ends_the_cookie_on_the_server(gated: Site) -> None:
    with signed_in(gated) as client:
        cookie = client.cookies["whalefall"]
        assert client.post("/sign-out", headers={"Origin": gated.url}).status_code == 303
        assert httpx.get(f"{gated.url}/api/v1/me", headers={"Cookie": f"whalefall={cookie}"}, trust_env=False).status_code == 401


def test_revoking_a_token_signs_its_browsers_out(gated: Site) -> None:
    with signed_in(gated) as client, gated.client(Scope.ADMIN) as admin:
        newest = next(token for token in admin.get("/tokens").json()["data"] if token["kind"] == "browser")
        parent = query(gated.store, "select parent_id from api_tokens where token_id = %s", newest["token_id"])[0][0]
        assert admin.delete(f"/tokens/{parent}").status_code == 200
        assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_a_foreign_page_changes_nothing_with_the_cookie(gated: Site, headers: dict[str, str]) -> None:
    with signed_in(gated) as client:
        for method, path in (
            ("POST", "/api/v1/instances/1/actions/sync-capacity"),
            ("POST", "/dagster/graphql"),
            ("GET", "/dagster/graphql?query=mutation"),
            ("POST", "/sign-out"),
        ):
            answer = client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["message_code"]) == (403, "CSRF_INVALID"), path
        assert client.post("/sign-in", data={"token": "x"}, headers=headers).status_code == 403
        assert client.get("/api/v1/me", headers=headers).status_code == 200
        own = client.post("/api/v1/instances/1/actions/sync-capacity", headers={"Sec-Fetch-Site": "same-origin"})
        assert own.status_code == 200


def test_dagster_needs_operate_by_every_way(gated: Site) -> None:
    address = gated.url.replace("http:", "ws:") + "/dagster/graphql"
    for scope, status in ((None, 401), (Scope.READ, 403), (Scope.OPERATE, 200)):
        headers = {} if scope is None else {"Authorization": f"Bearer {gated.token(scope)}"}
        for method, path in (
            ("GET", "/dagster"),
            ("GET", "/dagster/"),
            ("POST", "/dagster/graphql"),
            ("POST", "/dagster/report_asset_materialization/x"),
        ):
            answer = httpx.request(method, f"{gated.url}{path}", headers=headers, trust_env=False)
            assert answer.status_code == status, (scope, path)
        if status == 200:
            with connect(address, additional_headers=headers) as socket:
                assert socket.recv(timeout=5) == "connected"
        else:
            with pytest.raises(InvalidStatus) as refusal, connect(address, additional_headers=headers):
                pass
            assert refusal.value.response.status_code == 403


def test_a_websocket_of_a_foreign_page_is_refused(gated: Site) -> None:
    address = gated.url.replace("http:", "ws:") + "/dagster/graphql"
    with signed_in(gated) as client:
        headers = {"Cookie": f"whalefall={client.cookies['whalefall']}"}
        with pytest.raises(InvalidStatus), connect(address, additional_headers=headers, origin="https://evil.example"):  # type: ignore[arg-type]
            pass
        with connect(address, additional_headers=headers, origin=gated.url) as socket:  # type: ignore[arg-type]
            assert socket.recv(timeout=5) == "connected"


@pytest.mark.parametrize(
    "path", ["/dagster/../api/v1/tokens", "//dagster/graphql", "/Dagster/graphql", "/dagster%2fgraphql", "/api/v1/../v1/tokens"]
)
def test_no_spelling_of_a_path_gets_around_the_gate(gated: Site, path: str) -> None:
    token = gated.token(Scope.READ)
    with httpx.Client(trust_env=False) as client:
        request = client.build_request("GET", gated.url, headers={"Authorization": f"Bearer {token}"})
        request.url = request.url.copy_with(raw_path=path.encode())
        assert client.send(request).status_code in {403, 404}


def test_a_trusted_proxy_signs_people_in_by_their_groups(store: Database, tmp_path: Path) -> None:
    with site(store, tmp_path, proxy=PROXY) as running, browser(running) as client:
        me = client.get("/api/v1/me", headers={"X-User": "ann", "X-Groups": "staff, dba"}).json()["data"]
        assert (me["name"], me["scope"], me["has_access"], me["token_id"]) == ("ann", "admin", True, None)
        assert client.get("/api/v1/tokens", headers={"X-User": "bob", "X-Groups": "staff"}).status_code == 403
        assert client.get("/api/v1/me", headers={"X-User": "eve", "X-Groups": "others"}).status_code == 401
        assert client.get("/api/v1/me", headers={"X-Groups": "dba"}).status_code == 401
        posted = client.post("/api/v1/tokens", headers={"X-User": "ann", "X-Groups": "dba"}, json={"name": "x"})
        assert posted.json()["message_code"] == "CSRF_INVALID"


def test_the_headers_of_anybody_else_sign_nobody_in(gated: Site) -> None:
    assert not PROXY.trusts("192.0.2.1")
    assert PROXY.caller("192.0.2.1", {"x-user": "ann", "x-groups": "dba"}) is None
    with browser(gated) as client:  # no proxy is configured
        assert client.get("/api/v1/me", headers={"X-User": "ann", "X-Groups": "dba"}).status_code == 401


def test_a_caller_that_asks_too_often_waits(store: Database, tmp_path: Path) -> None:
    with (
        site(store, tmp_path, rates=Rates(reads_per_second=1, actions_per_minute=1)) as running,
        running.client(Scope.OPERATE) as client,
        running.client() as another,
    ):
        answers = [client.get("/me") for _ in range(30)]  # more than one a second even on a busy machine
        assert (answers[0].status_code, answers[1].status_code) == (200, 200)
        refused = next(answer for answer in answers if answer.status_code != 200)
        assert (refused.status_code, refused.json()["message_code"], refused.headers["Retry-After"]) == (429, "RATE_LIMITED", "1")
        assert another.get("/me").status_code == 200
        assert client.post("/accounts/actions/sync").status_code == 202
        assert client.post("/accounts/actions/sync").status_code == 429


def test_a_bucket_fills_again() -> None:
    moment = [0.0]
    limits = Limits(Rates(reads_per_second=2, actions_per_minute=6), lambda: moment[0])
    assert [limits.seconds_to_wait("a", is_action=False) for _ in range(5)] == [0, 0, 0, 0, 0.5]
    moment[0] = 0.5
    assert limits.seconds_to_wait("a", is_action=False) == 0
    assert limits.seconds_to_wait("a", is_action=False) == 0.5


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "db.example"])  # noqa: S104 - refused
def test_listening_for_a_network_needs_encryption_or_a_proxy(host: str) -> None:
    with pytest.raises(InputError, match="without encryption"):
        refuse_open(Listen(host), None)
    refuse_open(Listen(host, certificate=Path("c"), key=Path("k")), None)
    refuse_open(Listen(host), PROXY)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_neither(host: str) -> None:
    refuse_open(Listen(host), None)


@pytest.mark.parametrize(
    "text", ["//evil.example", "/\\evil.example", "https://evil.example", "", "x", "/a\r\nSet-Cookie: a=b", "/a b", "javascript:x"]
)
def test_signing_in_leads_to_paths_of_this_server_only(text: str) -> None:
    assert local_path(text) == "/"
    assert local_path("/dagster/assets?x=1&y=2") == "/dagster/assets?x=1&y=2"
