"""The console behind the gate: who sees which page, what a wrong address says, and what a browser does with the pages."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.classification.edit_rules import install_rules
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.console.app import PAGES
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.api.conftest import cloned
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register, server
from whalefall_pipelines_tests.gate.browser import open_page

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
    for store in cloned(postgres_server, store_template):
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


@pytest.mark.process
def test_a_browser_signs_in_and_sees_each_page_without_a_request_to_elsewhere(pages: Site, tmp_path: Path) -> None:
    secret = tokens.create_link(pages.store, scope=Scope.ADMIN, has_access=True, created_by="me", now=pages.services.clock())
    with open_page(tmp_path / "profile") as page:
        page.open(f"{pages.url}/sign-in?link={secret}", "Sign in")
        page.call("Runtime.evaluate", expression="document.querySelector('button').click()")
        page.wait_for("Total of the fleet")
        for path, shows in {
            "/server?name=orders": "Size by day",
            "/database?server=orders&name=shop": "it grew by",
            "/missing": "expected databases are missing",
            "/growth?days=5": "The fleet grew by",
            "/runway": "No forecasts have been made yet",
            "/sessions": "Newest sessions",
            "/partitions": "Plan of the next maintenance",
            "/instances": "servers are registered",
            "/access": "Who can?",
        }.items():
            page.open(f"{pages.url}{path}", shows)
        page.open(f"{pages.url}/server?name=orders", "Zoom")
        page.call("Runtime.evaluate", expression="document.querySelector('h2 button').click()")
        page.wait_until("document.querySelector('.drawing .uplot canvas')")
        page.call("Runtime.evaluate", expression="document.querySelector('form[action$=collect-server] button').click()")
        page.wait_for("databases were measured")
        page.take_picture(tmp_path / "server.png")
        page.call("Runtime.evaluate", expression="document.querySelector('form[action=\"/sign-out\"] button').click()")
        page.wait_for("Token")
        assert not page.errors
        assert not page.failed
        assert {request for request in page.requests if not request.startswith((pages.url, "data:"))} <= {"about:blank"}
