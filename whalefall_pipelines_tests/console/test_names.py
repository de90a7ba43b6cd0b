"""Hostile names are text on every page, and their links lead back to what has the name."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from whalefall_pipelines.api_base.callers import Caller, Scope
from whalefall_pipelines.console.app import PAGES, Console
from whalefall_pipelines.console.render import Surroundings, render_page
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import services_over
from whalefall_pipelines_tests.console.reader import Reader
from whalefall_pipelines_tests.console.scene import furnish

NAMES = ["<script>alert(1)</script>", "a\nb", "\u202ertl", "🐋" * 16, "a/b?c=d&e#f", "'\" onload=x", "..", "n" * 64]
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
OWN_SCRIPTS = {"/static/vendor/uplot/uPlot.iife.min.js", "/static/zoom.js", "/static/vendor/htmx/htmx.min.js"}
ADMIN = Caller("me", Scope.ADMIN, has_access=True)


async def nothing(*_: object) -> None:
    """No form is sent."""


def read(console: Console, address: str) -> Reader:
    """A page as a browser reads it."""
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.query))
    return Reader(render_page(PAGES[parts.path].read(console, asked), Surroundings(parts.path, asked, "Asia/Shanghai", ADMIN)))


def test_hostile_names_are_text_on_every_page_and_their_links_lead_back(store: Database, tmp_path: Path) -> None:
    scene = furnish(store, tmp_path, NAMES, NOW)
    console = Console(services_over(store, lambda: NOW), nothing)
    addresses = {address for name in NAMES for address in scene.addresses(name)}
    assert {urlsplit(address).path for address in addresses} == set(PAGES)
    links: dict[tuple[str, ...], str] = {}
    shown: set[str] = set()
    for address in sorted(addresses):
        reader = read(console, address)
        assert set(reader.scripts) <= OWN_SCRIPTS, address
        assert not {attribute for attribute in reader.attributes if attribute.startswith("on") or attribute == "style"}, address
        assert all(link.startswith(("/", "?", "#")) and not link.startswith("//") for link in reader.links), address
        shown |= {urlsplit(address).path for name in NAMES if any(name in text for text in reader.texts)}
        for link in reader.links:
            parts = urlsplit(link)
            if parts.path in PAGES:
                asked = dict(parse_qsl(parts.query))
                links[parts.path, asked.get("server", ""), asked.get("name", "")] = link
    # These have no names of the fleet.
    assert shown == set(PAGES) - {"/partitions", "/sessions"}
    for (path, server, name), link in links.items():
        reader = read(console, link)
        assert {server, name} - {""} <= {"clerk", "app", *NAMES, *(f"{known} {n}" for known in NAMES for n in "12")} or path == "/rule"
        if path in {"/server", "/database", "/account", "/rule"}:
            assert any(name in text for text in reader.texts), link
