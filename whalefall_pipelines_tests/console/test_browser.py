"""Each page in a browser, light and dark: what axe finds, what is asked for, and how it looks at three widths.

The pictures are kept in the folder that WHALEFALL_TEST_PICTURES names.
"""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.console.app import PAGES
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.api.conftest import cloned
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register, server
from whalefall_pipelines_tests.gate.browser import Page, open_page

_AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
_WIDTHS = (1440, 1024, 390)
_QUERIES = {
    "/server": "?name=orders",
    "/database": "?server=orders&name=shop",
    "/explain": "?server=billing&name=shop",
    "/session": "?id=00000000-0000-0000-0000-000000000000",
    "/account": "?server=orders&name=nobody",
    "/rule": "?name=nothing",
}


@pytest.fixture(scope="module")
def pages(postgres_server: PostgresCluster, store_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with forty days of two servers, of which one has a limit and the other is silent today, and with forecasts."""
    for store in cloned(postgres_server, store_template):
        day = today(system_clock(), store.timezone)
        orders, billing = register(store, "orders", "billing")
        days = {
            ((instance.instance_id, name), day - timedelta(days=count)): ModelDay(10**9 * (60 - count) * size, count == 9)
            for instance in (orders, billing)
            for size, name in enumerate(("app", "shop", "audit"), 1)
            for count in range(40)
        }
        write_days(store, days | {((billing.instance_id, "shop"), day): ModelDay(None)})
        query(store, "update instances set capacity_limit_bytes = 500000000000 where name = 'orders' returning 1")
        forecast_day(store, day, day)
        with site(store, tmp_path_factory.mktemp("home"), {"orders": server(), "billing": server()}) as running:
            yield running


def colours(page: Page, scheme: str) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


def violations(page: Page, *rules: str) -> list[dict[str, Any]]:
    """What axe finds on the page: the rule, and where."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    script = (
        f"axe.run(document, {json.dumps(options)}).then(found => JSON.stringify("
        "found.violations.map(each => ({rule: each.id, where: each.nodes.map(node => node.html).slice(0, 3)}))))"
    )
    answer = page.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
    found: list[dict[str, Any]] = json.loads(answer["result"]["value"])
    return found


@pytest.mark.process
def test_every_page_is_accessible_light_and_dark_and_fits_three_widths(pages: Site, tmp_path: Path) -> None:
    folder = Path(os.environ.get("WHALEFALL_TEST_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    secret = tokens.create_link(pages.store, scope=Scope.ADMIN, has_access=True, created_by="me", now=pages.services.clock())
    found: dict[str, object] = {}
    with open_page(tmp_path / "profile") as page:
        page.open(f"{pages.url}/sign-in?link={secret}", "Sign in")
        page.call("Runtime.evaluate", expression="document.querySelector('button').click()")
        page.wait_for("Total of the fleet")
        for path in PAGES:
            name = path.strip("/") or "fleet"
            page.open(f"{pages.url}{path}{_QUERIES.get(path, '')}", "whalefall")
            page.wait_until("document.readyState === 'complete' && document.querySelector('h1')")
            page.call("Runtime.evaluate", expression=_AXE)
            colours(page, "light")
            found[f"{name} light"] = violations(page)
            for width in _WIDTHS:
                page.call("Emulation.setDeviceMetricsOverride", width=width, height=1200, deviceScaleFactor=1, mobile=width < 500)
                scrolls = page.call("Runtime.evaluate", expression="document.documentElement.scrollWidth", returnByValue=True)
                assert scrolls["result"]["value"] <= width, (name, width)
                page.take_picture(folder / f"{name}-{width}.png")
            page.call("Emulation.clearDeviceMetricsOverride")
            colours(page, "dark")
            found[f"{name} dark"] = violations(page, "color-contrast")
            page.take_picture(folder / f"{name}-dark.png")
        assert not page.errors
        assert {request for request in page.requests if not request.startswith((pages.url, "data:"))} <= {"about:blank"}
    assert {name: rules for name, rules in found.items() if rules} == {}
