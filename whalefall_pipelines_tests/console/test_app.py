"""The console behind the gate: who sees which page, and how a person reads what is wrong."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from whalefall_pipelines.api.actions import Asgi
from whalefall_pipelines.api.app import create_app
from whalefall_pipelines.api_base.callers import Caller, Scope
from whalefall_pipelines.classification.edit_rules import install_rules
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.console.app import PAGES, Console, console_app
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.gate.limits import Rates
from whalefall_pipelines.gate.serve import build
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.api.site import Site, services_over, serving, site
from whalefall_pipelines_tests.conftest import cloned_store
from whalefall_pipelines_tests.console.reader import Reader
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register, server

_QUERIES = {
    "/server": "?name=orders",
    "/database": "?server=orders&name=shop",
    "/explain": "?server=orders&name=shop",
    "/account": "?server=orders&name=nobody",
    "/rule": "?name=postgresql-superuser",
    "/alert": "?id=1",
    "/session": "?id=00000000-0000-0000-0000-000000000000",
}
# There is no such session, account or alert.
_NOT_FOUND = {"/session", "/account", "/alert"}


@pytest.fixture(scope="module")
def pages(postgres_server: PostgresCluster, store_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with ten days of two servers, of which one is silent today."""
    with cloned_store(postgres_server, store_template) as store:
        day = today(system_clock(), store.timezone)
        orders, billing = register(store, "orders", "billing")
        install_rules(store)
        days = {
            ((instance.instance_id, name), day - timedelta(days=count)): ModelDay(10**9 * (20 - count))
            for instance in (orders, billing)
            for name in ("app", "shop")
            for count in range(10)
        }
        write_days(store, days | {((billing.instance_id, "shop"), day): ModelDay(None)})
        with site(store, tmp_path_factory.mktemp("home"), {"orders": server(), "billing": server()}) as running:
            yield running


def get(running: Site, path: str, scope: Scope = Scope.READ, *, has_access: bool = False) -> httpx.Response:
    headers = {"Authorization": f"Bearer {running.token(scope, has_access=has_access)}"}
    return httpx.get(f"{running.url}{path}", headers=headers, trust_env=False, timeout=60)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_needs_a_sign_in_and_some_need_more(pages: Site, path: str) -> None:
    address = f"{path}{_QUERIES.get(path, '')}"
    stranger = httpx.get(f"{pages.url}{address}", headers={"Accept": "text/html"}, trust_env=False, timeout=60)
    assert (stranger.status_code, stranger.headers["Location"].split("?")[0]) == (303, "/sign-in")
    shown = 404 if path in _NOT_FOUND else 200
    assert get(pages, address).status_code == (403 if path in {"/access", "/account", "/classes", "/rule", "/settings"} else shown)
    answer = get(pages, address, scope=Scope.ADMIN, has_access=True)
    assert answer.status_code == shown
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_a_wrong_address_is_a_sentence(pages: Site) -> None:
    for address, status, sentence in (
        ("/server?name=nowhere", 404, "whalefall instances list"),
        ("/server", 400, "name=… is missing from"),
        ("/missing?day=tomorrow", 400, "is not a date like"),
        ("/growth?days=many", 400, "is not a number from 1"),
        (f"/growth?days={'9' * 5000}", 400, "is not a number from 1"),
        ("/?top=501", 400, "is not a number from 1 to 500"),
        ("/growth?within=tag:%00", 400, "has a NUL character"),
        ("/server?name=%00", 400, "has a NUL character"),
        ("/growth?within=prod", 400, "write instance:"),
        ("/growth?days=99", 200, "The fleet grew by"),
        ("/nothing", 404, "This page does not exist"),
        ("/?csv=nothing", 404, "This table does not exist"),
        ("/static/../app.py", 404, "This page does not exist"),
    ):
        answer = get(pages, address)
        assert (answer.status_code, sentence in answer.text) == (status, True), address
        assert "Traceback" not in answer.text


def test_the_csv_of_a_table_has_what_the_store_has(pages: Site) -> None:
    answer = get(pages, "/database?server=orders&name=app&csv=history")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="history.csv"'
    rows = [(row["Day"], row["Size"]) for row in csv.DictReader(io.StringIO(answer.text))]
    stored = query(
        pages.store,
        "select stat_date::text, total_bytes::text from database_size_stats inner join instances using (instance_id) "
        "where name = 'orders' and database_name = 'app' order by stat_date desc",
    )
    assert rows == stored


def page_of(running: Site, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """The status and the text of what a browser gets that shows an address to a person."""
    answer = httpx.request(
        method, f"{running.url}{path}", headers={"Accept": "text/html,*/*", **headers}, trust_env=False, timeout=60, content=b""
    )
    assert answer.headers["Content-Type"].startswith("text/html"), answer.text
    return answer.status_code, " ".join(Reader(answer.text).texts)


def test_what_the_gate_refuses_is_a_page_for_a_person(pages: Site) -> None:
    reader = {"Authorization": f"Bearer {pages.token(Scope.READ)}"}
    for path, method, headers, status, sentence in (
        ("/do/cancel-session", "POST", {}, 401, "Sign in again. What you sent was not carried out."),
        ("/do/cancel-session", "POST", {"Cookie": f"whalefall={pages.token(Scope.READ)}"}, 403, "send the form there"),
        ("/settings", "GET", reader, 403, "This page needs the scope admin."),
        ("/access", "GET", reader, 403, "This page needs a token that may read accounts"),
        ("/server?name=nowhere", "GET", reader, 404, "The list above has all pages."),
    ):
        shown_status, text = page_of(pages, path, method, **headers)
        assert (shown_status, sentence in text) == (status, True), path


def test_who_sends_too_many_forms_reads_how_long_to_wait(store: Database, tmp_path: Path) -> None:
    with site(store, tmp_path, rates=Rates(actions_per_minute=1)) as running:
        sender = {"Authorization": f"Bearer {running.token(Scope.OPERATE)}"}
        assert page_of(running, "/do/launch-backfill", "POST", **sender)[0] == 400
        status, text = page_of(running, "/do/launch-backfill", "POST", **sender)
        assert (status, "Try again in" in text, "Nothing was carried out" in text) == (429, True, True)


def test_a_store_that_is_away_is_a_page_with_what_to_do(store: Database) -> None:
    away = Database(store.url.set(port=free_port()), store.timezone)
    with closing(away), serving(build(services_over(away))) as url:
        answer = httpx.get(
            f"{url}/growth?days=5", headers={"Accept": "text/html", "Authorization": f"Bearer wf_{'x' * 43}"}, trust_env=False, timeout=60
        )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    reader = Reader(answer.text)
    assert {"The store does not answer.", "`whalefall doctor` shows what is wrong with the store."} <= set(map(str.strip, reader.texts))
    assert "/growth?days=5" in reader.links
    assert "Sign out" not in reader.texts


def test_a_defect_is_a_page_and_its_identifier_is_in_the_log(store: Database, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> datetime:
        raise RuntimeError("the clock stands still")

    services = services_over(store, broken)
    with serving(signed_in(console_app(Console(services, create_app(services))))) as url:
        answer = httpx.get(f"{url}/alerts", trust_env=False, timeout=60)
    assert (answer.status_code, "defect of whalefall" in answer.text, "stands still" in answer.text) == (500, True, False)
    (logged,) = [record.getMessage() for record in caplog.records if record.name == "whalefall.console"]
    assert logged.split()[0] in answer.text


def signed_in(app: Asgi) -> Asgi:
    """The app behind a gate that lets everybody in."""

    async def gate(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "whalefall.caller": Caller("me", Scope.ADMIN)}, receive, send)

    return gate
