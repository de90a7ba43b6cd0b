"""The pages of the console over a large store: server time and bytes of each page, as a browser asks for them.

Five years of 20,000 databases take minutes to load, and 10 GB.
"""

import gzip
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from whalefall_pipelines.console.app import PAGES, Console
from whalefall_pipelines.console.render import Surroundings, render_page
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import services_over
from whalefall_pipelines_tests.benchmarks.aggregation import TODAY
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.fill import fill, load_fast
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
    "/explain": {"server": "target-7", "name": "database_3", "day": str(TODAY - timedelta(days=400))},
}
# This store has no account, rule and alert, and a report that was sent is one row.
_NOT_HERE = {"/account", "/rule", "/alert", "/report"}
# What the pages show besides sizes: tags, limits and the newest forecast of every series.
_FURNISH = """
update instances set
    tags = jsonb_build_object('team', 'team ' || instance_id %% 20),
    capacity_limit_bytes = case when instance_id %% 4 = 0 then %(databases)s * 1100000000::bigint end;
insert into capacity_forecasts (instance_id, database_id, made_on, horizon_days, origin, code_version, model, state, base_bytes,
    point_bytes, lower_80_bytes, upper_80_bytes, known_days, matured, error, skill, candidate_bytes)
select s.instance_id, s.database_id, %(today)s, h.days, 'issued', 1, 'last', 'ok', s.bytes, s.bytes + 100000 * h.days * s.databases,
    s.bytes, s.bytes + 200000 * h.days * s.databases, 365, 100, 0.01, 0.5, array[s.bytes]
from (
    select instance_id, database_id, 1000000000::bigint as bytes, 1 as databases from database_activity where active_until is null
    union all
    select instance_id, null, %(databases)s * 1000000000::bigint, %(databases)s from instances
) as s cross join unnest(array[7, 30, 90]) as h (days)
"""


def measure(folder: Path) -> Iterator[Figure]:
    """Each page: 95 of 100 answers within the time, and its compressed bytes; and the page of a fleet of 5,000 servers."""
    for instances, databases, days, paths in ((INSTANCES, DATABASES, DAYS, tuple(PAGES)), (5 * INSTANCES, 4, 60, ("/", "/instances"))):
        with embedded_store(folder / f"{instances}") as store:
            load_fast(store)
            history = History(store, instances, databases, TODAY - timedelta(days=days), TODAY)
            fill(store, instances, history.first_day, history.last_day, databases, by_day=True)
            register(history)
            with store.transaction(statement_seconds=600) as cursor:
                cursor.execute(_FURNISH, {"databases": databases, "today": TODAY})
            with store.session() as cursor:
                cursor.execute("vacuum (analyze) instances, capacity_forecasts")
            yield from measure_pages(store, paths, f"{instances} x {databases} x {days} days")


def measure_pages(store: Database, paths: Sequence[str], of: str) -> Iterator[Figure]:
    """These pages over this store; `of` says what it has."""
    with store.transaction() as cursor:
        cursor.execute("select session_id from sync_sessions order by started_at desc limit 1")
        (session_id,) = cursor.fetchone() or (None,)
    clock = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=12)

    async def nothing(*_: object) -> None:
        """No form is sent."""

    console = Console(services_over(store, lambda: clock), nothing)
    queries = {**_QUERIES, "/session": {"id": str(session_id)}}
    for path in paths:
        if path not in _NOT_HERE:
            yield from _figures(console, path, queries.get(path, {}), of)


def _figures(console: Console, path: str, query: dict[str, str], of: str) -> list[Figure]:
    seconds: list[float] = []
    html = ""
    for _ in range(ROUNDS):
        begun = time.monotonic()
        html = render_page(PAGES[path].read(console, query), Surroundings(path, query, console.database.timezone.key))
        seconds.append(time.monotonic() - begun)
    kilobytes = len(gzip.compress(html.encode(), 6)) / 1000
    return [
        Figure(f"console {path}: p95", quantiles(seconds, n=20)[-1], P95_SECONDS, "s", of),
        Figure(f"console {path}: compressed", kilobytes, MOST_KILOBYTES, "kB", f"{len(html) / 1000:.0f} kB before"),
    ]
