"""Bad input: hostile identifiers, dates, cursors, bodies, slow clients, many connections. Each is a clear problem; nothing breaks."""

import contextlib
import json
import re
import socket
import threading
import time
from urllib.parse import quote, urlsplit

import httpx
import pytest
from starlette.responses import Response

from whalefall_pipelines.api.actions import Actions
from whalefall_pipelines.api.app import create_app
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.problems import Problem
from whalefall_pipelines.gate.app import AsgiScope, Behind, Gate
from whalefall_pipelines.gate.callers import Callers
from whalefall_pipelines.gate.connections import Connection
from whalefall_pipelines.gate.limits import Limits
from whalefall_pipelines_tests.api.site import MANY, Site, serving
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES

LEAKS = re.compile(r"Traceback|psycopg|SELECT |select \w|File \"|relation|syntax error", re.IGNORECASE)


def refused(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in (statuses or (400, 404)), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not LEAKS.search(answer.text), answer.text


@pytest.mark.parametrize(
    "instance_id", ["0", "-1", "1e9", "99999999999999999999", "1;drop table x", "%00", "null", "\u0661", "1%20or%201=1"]
)
def test_hostile_identifiers(reading: Site, instance_id: str) -> None:
    with reading.client(Scope.ADMIN, has_access=True) as client:
        refused(client.get(f"/instances/{instance_id}"))
        refused(client.get("/databases/sizes", params={"instance_id": instance_id}), 400)
        refused(client.get(f"/sessions/{instance_id}"))
        refused(client.post(f"/instances/{instance_id}/actions/test"))


@pytest.mark.parametrize(
    "parameters",
    [
        {"start_date": "2026-02-30"},
        {"start_date": "0001-01-01"},
        {"end_date": "9999-12-31"},
        {"start_date": "yesterday"},
        {"start_date": "2026-11-20", "end_date": "2026-11-01"},
        {"start_date": "2020-01-01", "end_date": "2026-01-01"},
        {"time_range": "0"},
        {"time_range": "401"},
        {"time_range": "5", "start_date": "2026-11-20"},
        {"limit": "0"},
        {"limit": "201"},
        {"page": "0"},
        {"page": "51", "limit": "200"},
        {"page": "99999999999999999999"},
        {"engine": "db2"},
        {"tag": "=x"},
        {"tag": "a\x00b"},
        {"database_name": "\x00"},
        {"database_name": "x" * 600},
    ],
)
def test_hostile_parameters(reading: Site, parameters: dict[str, str]) -> None:
    with reading.client() as client:
        refused(client.get("/databases/sizes", params=parameters), 400)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_only_names(reading: Site, name: str) -> None:
    with reading.client(has_access=True) as client:
        answer = client.get(f"/databases/sizes?database_name={quote(name.encode('utf-8', 'surrogatepass'))}")
        assert answer.status_code in {200, 400}
        if answer.status_code == 200:
            assert answer.json()["data"]["items"] == []
        assert not LEAKS.search(answer.text)


def test_cursors_of_other_lists_other_filters_and_nobody(reading: Site) -> None:
    with reading.client() as client:
        cursor = client.get("/databases/sizes", params={"limit": 1}).json()["data"]["next_cursor"]
        assert client.get("/databases/sizes", params={"limit": 5, "cursor": cursor}).status_code == 200
        refused(client.get("/databases/sizes", params={"limit": 1, "cursor": cursor, "instance_id": 1}), 400)
        refused(client.get("/coverage", params={"cursor": cursor}), 400)
        refused(client.get("/databases/sizes", params={"cursor": cursor, "page": 2}), 400)
        for broken in (cursor[:-2], "A" + cursor[1:], cursor * 3, "AAAAAAAA", "%%%", "x" * 3000, ""):
            refused(client.get("/databases/sizes", params={"cursor": broken}), 400)


def test_bodies_that_are_too_large_wrong_or_no_json(running: Site) -> None:
    with running.client(Scope.ADMIN) as client:
        refused(client.post("/tokens", content=b"x" * 10_000_000, headers={"Content-Type": "application/json"}), 413)
        refused(client.post("/tokens", content=(b"x" * 100_000 for _ in range(100)), headers={"Content-Type": "application/json"}), 413)
        refused(client.post("/tokens", content=b"name=x", headers={"Content-Type": "application/x-www-form-urlencoded"}), 415)
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"name": 1}',
            b'{"name": "a", "scope": "root"}',
            b"\xff\xfe",
            b'{"name": "' + b"x" * 500 + b'"}',
        ):
            refused(client.post("/tokens", content=body, headers={"Content-Type": "application/json"}), 400, 415)
        refused(client.post("/tokens", content=json.dumps({"name": "a" * 200}), headers={"Content-Type": "application/json"}), 400)
        refused(client.post("/tokens", json={"name": "x"}, headers={"Idempotency-Key": "a b"}), 400)


def page_of(answer: Problem, _: AsgiScope) -> Response:
    """These clients ask for JSON, so that no page is made."""
    raise AssertionError(answer)


def test_a_client_that_sends_its_body_slowly_waits_alone(running: Site) -> None:
    token = running.token(Scope.ADMIN)
    app = Actions(create_app(running.services), running.services, body_seconds=0.3)
    with serving(Gate(Behind(app, app, page_of), Callers(running.services), Limits(MANY))) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as slow:
            head = f"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            slow.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
            slow.settimeout(20)
            assert slow.recv(100).startswith(b"HTTP/1.1 408")


class Impatient(Connection):
    """A connection that waits a short time only."""

    head_seconds = 0.3


@pytest.mark.parametrize(
    ("beginning", "rest"),
    [
        (b"", b"GET /"),
        (b"G", b"ET /"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-Slow: "),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /"),
    ],
)
def test_a_client_that_sends_a_head_byte_by_byte_is_refused(reading: Site, beginning: bytes, rest: bytes) -> None:
    """The first request of a connection, and the second one."""
    app = create_app(reading.services)
    with serving(Gate(Behind(app, app, page_of), Callers(reading.services), Limits(MANY)), Impatient) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=20) as slow:
            slow.sendall(beginning)
            answered = slow.recv(10_000) if beginning.endswith(b"\r\n\r\n") else b""
            assert answered.startswith(b"HTTP/1.1 200") or not answered
            assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
            status = b""
            with contextlib.suppress(ConnectionError):  # the server closed it
                for byte in rest + b"x" * 1000:
                    slow.sendall(bytes([byte]))
                    time.sleep(0.01)
            with contextlib.suppress(ConnectionError):
                status = slow.recv(100)
            assert status.startswith(b"HTTP/1.1 408") or not status


def test_a_head_without_an_end_is_refused(reading: Site) -> None:
    address = urlsplit(reading.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as endless:
        endless.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                endless.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert endless.recv(100)[:12] in {b"HTTP/1.1 431", b""}
    assert httpx.get(f"{reading.url}/healthz", trust_env=False).status_code == 200


@pytest.mark.parametrize("day", ["2026-02-30", "0001-01-01", "99999-01-01", "yesterday", "2026-11-20T00:00:00Z", "-1", "\u0662\u0660"])
def test_hostile_days(reading: Site, day: str) -> None:
    with reading.client(has_access=True) as client:
        for path, parameters in (
            ("/explain", {"instance_id": "1", "database_name": "app", "day": day}),
            ("/explain/period", {"instance_id": "1", "database_name": "app", "period_type": "weekly", "period_start": day}),
            ("/history", {"name": "orders", "since": day}),
            ("/growth/waterfall", {"since": day}),
            ("/forecasts", {"day": day}),
            ("/forecasts/changes", {"since": day}),
            ("/accounts", {"as_of": day}),
            ("/changes", {"start_date": day}),
            ("/export/gaps", {"end_date": day}),
        ):
            answer = client.get(path, params=parameters)
            assert answer.status_code in {200, 400, 404}, (path, answer.text)  # a day before all others is a day
            assert not LEAKS.search(answer.text), answer.text


def test_two_hundred_connections_are_all_answered(reading: Site) -> None:
    token = reading.token(Scope.READ)
    statuses: list[int] = []

    def ask() -> None:
        answer = httpx.get(f"{reading.url}/api/v1/instances", headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 200
