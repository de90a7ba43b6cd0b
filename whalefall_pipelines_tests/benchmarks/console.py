"""The pages of the console over a large store: server time and bytes of each page, as a browser asks for them.

Loading five years of 20,000 databases takes minutes and 10 GB, so it is measured only when it is named.
"""

import gzip
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from whalefall_pipelines.console.app import PAGES, Console
from whalefall_pipelines.console.render import Surroundings, render_page
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import services_over
from whalefall_pipelines_tests.benchmarks.aggregation import TODAY, fill, load_fast
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.history import History, register
from whalefall_pipelines_tests.benchmarks.servers import embedded_store

INSTANCES, DATABASES, DAYS = 1000, 20, 5 * 365
ROUNDS = 20
P95_SECONDS, MOST_KILOBYTES = 0.3, 200
# The query of each page that needs one.
_QUERIES = {
    "/server": {"name": "target-7"},
    "/database": {"server": "target-7", "name": "database_3"},
    "/missing": {"day": str(TODAY)},
    "/account": {},
}
# What they show is measured by `accounts` and `account_store`; this store has no account.
_NOT_HERE = {"/account"}


def measure(folder: Path) -> list[Figure]:
    """Each page: 95 of 100 answers within the time, and its compressed bytes."""
    with embedded_store(folder / "home") as store:
        load_fast(store)
        history = History(store, INSTANCES, DATABASES, TODAY - timedelta(days=DAYS), TODAY)
        fill(store, INSTANCES, history.first_day, history.last_day, DATABASES, by_day=True)
        register(history)
        return measure_pages(store)


def measure_pages(store: Database) -> list[Figure]:
    """Each page over this store."""
    with store.transaction() as cursor:
        cursor.execute("select session_id from sync_sessions order by started_at desc limit 1")
        (session_id,) = cursor.fetchone() or (None,)
    clock = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=12)

    async def nothing(*_: object) -> None:
        """No form is sent."""

    console = Console(services_over(store, lambda: clock), nothing)
    queries = {**_QUERIES, "/session": {"id": str(session_id)}}
    return [figure for path in PAGES if path not in _NOT_HERE for figure in _figures(console, path, queries.get(path, {}))]


def _figures(console: Console, path: str, query: dict[str, str]) -> list[Figure]:
    seconds: list[float] = []
    html = ""
    for _ in range(ROUNDS):
        begun = time.monotonic()
        html = render_page(PAGES[path].read(console, query), Surroundings(path, query, console.database.timezone.key))
        seconds.append(time.monotonic() - begun)
    kilobytes = len(gzip.compress(html.encode(), 6)) / 1000
    return [
        Figure(f"console {path}: p95", quantiles(seconds, n=20)[-1], P95_SECONDS, "s", f"{INSTANCES} x {DATABASES} x {DAYS} days"),
        Figure(f"console {path}: compressed", kilobytes, MOST_KILOBYTES, "kB", f"{len(html) / 1000:.0f} kB before"),
    ]
