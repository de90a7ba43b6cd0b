"""The pages of the console over a large store: server time and bytes of each page, and when a browser first paints it.

Five years of 20,000 databases take minutes to load, and 10 GB. `console_store.py` loads what the pages show besides sizes.
"""

import gzip
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.console.app import PAGES, Console
from whalefall_pipelines.console.render import Surroundings, render_page
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import services_over
from whalefall_pipelines_tests.benchmarks.aggregation import TODAY
from whalefall_pipelines_tests.benchmarks.console_store import addresses, furnish
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.fill import fill, load_fast
from whalefall_pipelines_tests.benchmarks.history import History, register
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.benchmarks.web import web_process
from whalefall_pipelines_tests.gate.browser import open_page

INSTANCES, DATABASES, DAYS = 1000, 20, 5 * 365
ROUNDS, PAINTS = 20, 3
P95_SECONDS, MOST_KILOBYTES, PAINT_SECONDS = 0.3, 200, 1
# The months of this store are not due to be dropped.
KEEPING = {"WHALEFALL_RETENTION_MONTHS": "72", "WHALEFALL_AGGREGATION_RETENTION_MONTHS": "84"}
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def measure(folder: Path) -> Iterator[Figure]:
    """Each page: 95 of 100 answers within the time, its compressed bytes, its first paint; and the page of a fleet of 5,000 servers."""
    for instances, databases, days, paths in ((INSTANCES, DATABASES, DAYS, tuple(PAGES)), (5 * INSTANCES, 4, 60, ("/", "/instances"))):
        with embedded_store(folder / f"{instances}") as store:
            load_fast(store)
            history = History(store, instances, databases, TODAY - timedelta(days=days), TODAY)
            begun = time.monotonic()
            fill(store, instances, history.first_day, history.last_day, databases, by_day=True)
            register(history)
            furnish(history)
            of = f"{instances} x {databases} x {days} days"
            yield Figure("console: loading the store", time.monotonic() - begun, 900, "s", of)
            yield from measure_pages(store, paths, of)
            yield from measure_paints(store, folder / f"web-{instances}", paths, of)


def measure_pages(store: Database, paths: Sequence[str], of: str) -> Iterator[Figure]:
    """The server time and the bytes of these pages over this store; `of` says what it has."""
    clock = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=12)

    async def nothing(*_: object) -> None:
        """No form is sent."""

    with closing(Database(store.url, store.timezone, is_reader=True)) as reader:
        settings = load_settings({**KEEPING, "WHALEFALL_HOME": "/nonexistent"})
        services = replace(services_over(store, lambda: clock, reader), settings=settings)
        console = Console(services, nothing)
        for path, query in addresses(store, paths):
            yield from _figures(console, path, query, of)


def measure_paints(store: Database, folder: Path, paths: Sequence[str], of: str) -> Iterator[Figure]:
    """When Chromium first paints these pages, from the click on."""
    secret = tokens.create_link(store, scope=Scope.ADMIN, has_access=True, created_by="benchmark", now=system_clock())
    with web_process(store, folder, KEEPING) as web, open_page(folder / "profile") as page:
        page.open(f"{web.root}/sign-in?link={secret}", "Sign in")
        page.click("button")
        page.wait_for("Fleet")
        for path, query in addresses(store, paths):
            seconds: list[float] = []
            for _ in range(PAINTS):
                page.call("Page.navigate", url=f"{web.root}{path}?{urlencode(query)}")
                page.wait_until(f"location.pathname === '{path}' && document.readyState === 'complete' && {_PAINTED}")
                seconds.append(page.ask(_PAINTED) / 1000)
            yield Figure(f"console {path}: first paint", median(seconds), PAINT_SECONDS, "s", of)
        assert not page.failed, page.failed


def _figures(console: Console, path: str, query: dict[str, str], of: str) -> list[Figure]:
    seconds: list[float] = []
    html = ""
    for _ in range(ROUNDS):
        begun = time.monotonic()
        html = render_page(PAGES[path].read(console, query), Surroundings(path, query, console.database.timezone.key))
        seconds.append(time.monotonic() - begun)
    kilobytes = len(gzip.compress(html.encode(), 6)) / 1000
    return [
        Figure(f"console {path}: p95", quantiles(seconds, n=20)[-1], P95_SECONDS, "s", f"{of}; median {median(seconds):.3f} s"),
        Figure(f"console {path}: compressed", kilobytes, MOST_KILOBYTES, "kB", f"{len(html) / 1000:.0f} kB before"),
    ]
