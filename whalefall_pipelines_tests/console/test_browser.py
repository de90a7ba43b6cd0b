"""The pages in a browser: what axe finds, how they look at three widths and on paper, with the keyboard, and without JavaScript.

The pictures are kept in the folder that TEST_PICTURES names.
"""

import json
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.conftest import cloned_store
from whalefall_pipelines_tests.console.scene import Scene, furnish
from whalefall_pipelines_tests.factories import query, server
from whalefall_pipelines_tests.gate.browser import Page, open_page

pytestmark = pytest.mark.process
NAMES = ["orders", "n" * 64, "<script>alert(1)</script>", "billing"]
_AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
_WIDTHS = (1440, 1024, 390)


@pytest.fixture(scope="module")
def scene(postgres_server: PostgresCluster, store_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A store in which every page has something to show."""
    with cloned_store(postgres_server, store_template) as store:
        yield furnish(store, tmp_path_factory.mktemp("scene"), NAMES, system_clock())


@pytest.fixture(scope="module")
def pages(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Its web process."""
    with site(scene.store, tmp_path_factory.mktemp("home"), {name: server() for name in NAMES}) as running:
        yield running


@pytest.fixture(scope="module")
def tab(pages: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser that signed in."""
    with open_page(tmp_path_factory.mktemp("profile")) as page:
        sign_in(pages, page)
        yield page


def sign_in(pages: Site, page: Page) -> None:
    """Sign in with a link."""
    secret = tokens.create_link(pages.store, scope=Scope.ADMIN, has_access=True, created_by="me", now=pages.services.clock())
    page.open(f"{pages.url}/sign-in?link={secret}", "Sign in")
    page.click("button")
    page.wait_for("Total of the fleet")


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The browser as it is by default. Nothing that a test makes it ask for leaves this machine or breaks."""
    tab.requests.clear()
    tab.failed.clear()
    tab.errors.clear()
    yield tab
    tab.call("Emulation.setScriptExecutionDisabled", value=False)
    tab.call("Emulation.setEmulatedMedia", media="", features=[])
    tab.call("Emulation.clearDeviceMetricsOverride")
    assert not tab.errors
    assert {urlsplit(request).hostname for request in tab.requests if not request.startswith(("data:", "about:"))} == {"127.0.0.1"}


def violations(page: Page, *rules: str) -> list[dict[str, object]]:
    """What axe finds on the page: the rule, and where."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    violated: list[dict[str, object]] = page.ask(
        f"axe.run(document, {json.dumps(options)}).then(answer => answer.violations.map("
        "violation => ({rule: violation.id, where: violation.nodes.map(node => node.html + node.failureSummary).slice(0, 3)})))"
    )
    return violated


def test_every_page_is_accessible_light_and_dark_and_fits_three_widths(pages: Site, scene: Scene, page: Page, tmp_path: Path) -> None:
    folder = Path(os.environ.get("TEST_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    problems: dict[str, object] = {}
    for address in [*scene.addresses(NAMES[0]), "/nothing"]:
        name = urlsplit(address).path.strip("/") or "fleet"
        page.resize(_WIDTHS[0])
        page.open(f"{pages.url}{address}", "whalefall")
        page.wait_until("document.readyState === 'complete' && document.querySelector('h1')")
        page.ask(_AXE)
        page.colours("light")
        problems[f"{name}, light"] = violations(page)
        page.take_picture(folder / f"{name}-wide.png")
        for width in _WIDTHS:
            page.resize(width)
            problems[f"{name}, wider than {width}"] = page.ask("document.documentElement.scrollWidth") > width
        page.colours("dark")
        problems[f"{name}, dark"] = violations(page, "color-contrast")
        page.take_picture(folder / f"{name}-narrow-dark.png")
    assert {name: rules for name, rules in problems.items() if rules} == {}


def test_a_report_on_paper_has_its_tables_and_no_controls(pages: Site, page: Page) -> None:
    page.colours("dark")
    page.open(f"{pages.url}/growth", "Before and after")
    page.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    shown = "element => element.checkVisibility()"
    assert page.ask(f"[...document.querySelectorAll('nav, form, .tools, summary')].some({shown})") is False
    assert page.ask(f"[...document.querySelectorAll('h1, svg.waterfall, .listing table')].every({shown})") is True
    assert page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_keyboard_reaches_and_uses_everything(pages: Site, page: Page) -> None:
    page.open(f"{pages.url}/instances", "servers are registered")
    page.press("Tab")
    assert page.ask("document.activeElement.className") == "skip"
    page.press("Enter")
    page.press("Tab")
    assert page.ask("document.activeElement.closest('main') !== null") is True
    # what scrolls can be focused, so that the arrow keys scroll it
    assert page.ask("[...document.querySelectorAll('.scroll, .drawing')].every(area => area.tabIndex === 0)") is True
    page.ask("document.querySelector('th a').focus()")
    page.press("Enter")
    page.wait_until("document.querySelector('th[aria-sort=descending]')")


def test_without_javascript_a_table_is_filtered_and_forms_work(pages: Site, scene: Scene, page: Page) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open(f"{pages.url}/session?id={scene.session_id}", "It is running")
    page.click("form[action$=cancel-session] button")
    page.wait_for("The session is cancelled")
    page.open(f"{pages.url}/access?accounts.filter=clerk", "rows.")
    assert not page.failed


def test_a_backfill_is_launched_and_watched_until_its_session_opens(pages: Site, page: Page) -> None:
    page.open(f"{pages.url}/missing", "expected databases is missing")
    page.click("details.form summary")
    page.click("form[action$=launch-backfill] button")
    page.wait_for("is queued in Dagster")
    page.click("main .links a")
    page.wait_for("opens when its run begins")


def test_a_fleet_file_is_imported_by_its_plan(pages: Site, page: Page) -> None:
    page.open(f"{pages.url}/instances", "servers are registered")
    page.click("details:nth-of-type(2) summary")
    page.ask("document.querySelector('form[action$=import-servers] textarea').focus()")
    page.call("Input.insertText", text="instances: [{name: web, engine: mysql, host: 192.0.2.1, username: me}]")
    page.click("form[action$=import-servers] button")
    page.wait_for("Nothing is registered yet")
    page.click("form[action$=carry-out-import] button")
    page.wait_for("The plan was carried out")
    assert query(pages.store, "select host from instances where name = 'web'") == [("192.0.2.1",)]


def test_a_series_is_zoomed(pages: Site, page: Page) -> None:
    page.open(f"{pages.url}/server?name=orders", "Zoom")
    page.click("h2 button")
    page.wait_until("document.querySelector('.drawing .uplot canvas')")


def test_a_server_is_collected_from_its_page(pages: Site, page: Page) -> None:
    page.open(f"{pages.url}/server?name=orders", "Collect now")
    page.click("form[action$=collect-server] button")
    page.wait_for("databases were measured")


def test_a_running_session_renews_itself(pages: Site, page: Page) -> None:
    plan = SessionPlan(uuid4(), SyncCategory.ACCOUNT, SyncType.MANUAL_TASK, pages.services.today(), pages.services.today())
    sessions.open_session(pages.store, plan, [1])
    page.open(f"{pages.url}/session?id={plan.session_id}", "It is running")
    sessions.abandon_session(pages.store, plan.session_id, SessionStatus.FAILED, error_code="X", error_message="it broke")
    page.wait_for("it broke")


def test_a_browser_signs_out_and_in_again(pages: Site, page: Page) -> None:
    page.open(f"{pages.url}/runway", "Sign out")
    page.click("form[action='/sign-out'] button")
    page.wait_for("Token")
    page.open(f"{pages.url}/runway", "Token")
    sign_in(pages, page)
