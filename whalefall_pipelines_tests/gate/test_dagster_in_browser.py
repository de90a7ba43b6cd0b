"""The Dagster UI behind the gate in a browser: it opens for a person who signed in, and asks nothing of other machines."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines_tests.cli.trees import Home, running
from whalefall_pipelines_tests.gate.browser import open_page

pytestmark = pytest.mark.process


def test_the_dagster_ui_opens_for_who_signed_in_and_asks_nobody_else(prepared_home: Callable[..., Home], tmp_path: Path) -> None:
    home = prepared_home()
    with running(home, free_port()) as up, open_page(tmp_path / "profile") as page:
        address = f"http://127.0.0.1:{up.port}"
        assets = f"{address}/dagster/assets"
        page.open(assets, "Token")
        page.open(home.succeed("tokens", "link", "--scope", "operate", "--url", address).strip(), "Sign in")
        page.click("button")
        page.wait_until("!location.pathname.startsWith('/sign-in')")
        page.open(assets, "database_size_stats")
        page.wait_until("document.readyState === 'complete'")
    assert any(request.startswith("ws://127.0.0.1:") and "/dagster/graphql" in request for request in page.requests)
    asked = {urlsplit(request).hostname for request in page.requests if not request.startswith(("data:", "about:", "blob:"))}
    assert asked == {"127.0.0.1"}
