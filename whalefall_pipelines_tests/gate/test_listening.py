"""Where the gate listens: with TLS, on a Unix socket behind a proxy, and nowhere else without encryption."""

import ssl
import subprocess
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from click.testing import CliRunner

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.gate.command import main
from whalefall_pipelines.gate.proxy_settings import proxy_of
from whalefall_pipelines.gate.serve import Listen, build, listening
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import services_over, site

PROXY = {
    "WHALEFALL_TRUSTED_PROXY_HEADER": "X-Forwarded-User",
    "WHALEFALL_TRUSTED_PROXY_SCOPES": "dba=admin,dba=access,staff=read",
    "WHALEFALL_TRUSTED_PROXIES": "192.0.2.0/24",
}


@contextmanager
def served(store: Database, listen: Listen, settings: dict[str, str] | None = None) -> Generator[None]:
    """The gate as `whalefall-web` serves it, in a thread."""
    proxy = proxy_of(load_settings({"WHALEFALL_HOME": "/nonexistent", **(settings or {})}))
    server = uvicorn.Server(listening(build(services_over(store), proxy=proxy), listen))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine, signed by itself, and its key."""
    file, key = folder / "web.pem", folder / "web.key"
    options = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=DNS:localhost")
    subprocess.run(["openssl", "req", "-x509", *options, *names, "-out", str(file), "-keyout", str(key)], check=True, capture_output=True)
    return file, key


def test_tls_is_served_and_cookies_are_sent_over_it_only(store: Database, tmp_path: Path) -> None:
    file, key = certificate(tmp_path)
    port = free_port("127.0.0.1")
    with site(store, tmp_path) as running, served(store, Listen(port=port, certificate=file, key=key)):
        url = f"https://localhost:{port}"
        token = running.token(Scope.READ)
        with httpx.Client(base_url=url, verify=ssl.create_default_context(cafile=str(file)), trust_env=False) as client:
            assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()["data"]["scope"] == "read"
            answer = client.post("/sign-in", data={"token": token}, headers={"Origin": url})
            assert answer.status_code == 303
            assert "; secure" in answer.headers["Set-Cookie"].lower()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/healthz", trust_env=False)  # nobody vouches for the certificate
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://localhost:{port}/healthz", trust_env=False)


def test_a_proxy_signs_people_in_over_a_unix_socket(store: Database, tmp_path: Path) -> None:
    socket = tmp_path / "web.sock"
    with served(store, Listen(socket=socket), PROXY):
        transport = httpx.HTTPTransport(uds=str(socket))
        with httpx.Client(base_url="http://whalefall.example", transport=transport) as client:
            assert client.get("/api/v1/me").status_code == 401
            dba = {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "staff,dba"}
            me = client.get("/api/v1/me", headers=dba).json()["data"]
            assert (me["name"], me["scope"], me["has_access"]) == ("ann", "admin", True)
            assert client.get("/api/v1/tokens", headers=dba).status_code == 200
            staff = {"X-Forwarded-User": "bob", "X-Forwarded-Groups": "staff"}
            assert client.get("/api/v1/tokens", headers=staff).status_code == 403
            assert client.get("/api/v1/me", headers={"X-Forwarded-User": "eve"}).status_code == 401


def test_the_headers_of_a_proxy_count_from_its_address_only(store: Database) -> None:
    port = free_port("127.0.0.1")
    with served(store, Listen(port=port), PROXY):
        headers = {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "dba", "X-Forwarded-For": "192.0.2.7"}
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/me", headers=headers, trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--host", "0.0.0.0"), "does not listen on 0.0.0.0 without encryption"),  # noqa: S104 - refused
        (("--host", "::"), "does not listen on :: without encryption"),
        (("--certificate", __file__), "must be used together"),
    ],
)
def test_what_would_be_read_in_transit_is_refused_with_a_sentence(options: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, list(options), env={"WHALEFALL_HOME": str(tmp_path)})
    assert (result.exit_code, sentence in result.output) == (2, True), result.output
    assert "Traceback" not in result.output
