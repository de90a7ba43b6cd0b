"""How long eight clients wait for a list, a summary and a history of a store with five years of 20,000 databases.

Loading it takes minutes and 20 GB, so it is measured only when it is named. Of the periods only the daily ones are loaded.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.fill import fill, fill_daily_periods, load_fast
from whalefall_pipelines_tests.benchmarks.history import History, register
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.benchmarks.web import web_process

INSTANCES, DATABASES, DAYS = 1000, 20, 5 * 365
CLIENTS, REQUESTS = 8, 40
P95_SECONDS = 0.1
PATHS = {
    "list of 200 rows": "/capacity/databases?period_type=daily&limit=200",
    "list of a server": "/capacity/databases?period_type=daily&limit=200&instance_id={number}",
    "summary": "/capacity/databases/summary?period_type=daily",
    "history of a database, a year": "/history?name=target-{number}%2Fdatabase_3&since=365d",
}


def _wait(url: str, token: str, path: str, client: int) -> list[float]:
    """The seconds of the requests of one client, each about another server. Its own work is small, because it is on the same machine."""
    seconds: list[float] = []
    address = urlsplit(url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=60)) as http:
        for request in range(REQUESTS):
            asked = address.path + path.format(number=1 + (client * REQUESTS + request) % INSTANCES)
            begun = time.monotonic()
            http.request("GET", asked, headers={"Authorization": f"Bearer {token}"})
            answer = http.getresponse()
            body = answer.read()
            seconds.append(time.monotonic() - begun)
            assert answer.status == 200, body
    return seconds


def measure(folder: Path) -> list[Figure]:
    """95 of 100 answers within the time, with all clients asking at once."""
    with embedded_store(folder / "home") as store:
        load_fast(store)
        last_day = today(datetime.now(UTC), store.timezone)
        history = History(store, INSTANCES, DATABASES, last_day - timedelta(days=DAYS), last_day)
        fill(store, INSTANCES, history.first_day, history.last_day, DATABASES, by_day=True)
        register(history, with_sessions=False)
        fill_daily_periods(store, history.first_day, history.last_day)
        made = tokens.create_token(store, "bench", Scope.READ, now=system_clock(), created_by="bench")
        with web_process(store, folder / "web") as web, ThreadPoolExecutor(CLIENTS) as pool:
            return [_figure(pool, web.url, made.secret, name, path) for name, path in PATHS.items()]


def _figure(pool: ThreadPoolExecutor, url: str, token: str, name: str, path: str) -> Figure:
    _wait(url, token, path, 0)
    waits = [seconds for waited in pool.map(lambda client: _wait(url, token, path, client), range(CLIENTS)) for seconds in waited]
    detail = f"{CLIENTS} clients, {INSTANCES} x {DATABASES} x {DAYS} days, median {quantiles(waits, n=2)[0]:.3f} s"
    return Figure(f"API, {name}: p95", quantiles(waits, n=20)[-1], P95_SECONDS, "s", detail)
