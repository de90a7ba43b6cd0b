"""What the API costs beside its statement: a list, an unchanged list, and an export. CPU of this process, not seconds of a busy machine."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psycopg2
from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.aggregation.listing import PeriodFilter
from whalefall_pipelines.api import tokens
from whalefall_pipelines.api.dagster_launcher import NoLauncher
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.filters import Days
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.gate.app import Gate
from whalefall_pipelines.gate.limits import Rates
from whalefall_pipelines.gate.serve import build
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.figures import Comparison, Figure, alternate
from whalefall_pipelines_tests.benchmarks.fill import DATABASES, fill
from whalefall_pipelines_tests.benchmarks.history import History, register
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.benchmarks.web import web_process
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.days import compute_periods

# 1,001,700 sizes.
INSTANCES, DAYS = 100, 371
ROUNDS, REQUESTS = 7, 60
PATH = "/api/v1/capacity/databases"


class Asker:
    """Asks the gate in this thread, without a socket: what is measured is the answer and not the network."""

    def __init__(self, gate: Gate, token: str) -> None:
        self.gate, self.token = gate, token
        self.loop = asyncio.new_event_loop()

    def ask(self, path: str, query: str, *, times: int = 1, **headers: str) -> tuple[int, dict[str, str], int]:
        """The status, the headers and the size of the last answer. One task asks them all, because each task has threads of its own."""

        async def repeat() -> tuple[int, dict[str, str], int]:
            for _ in range(times - 1):
                await self._ask(path, query, headers)
            return await self._ask(path, query, headers)

        return self.loop.run_until_complete(repeat())

    async def _ask(self, path: str, query: str, headers: dict[str, str]) -> tuple[int, dict[str, str], int]:
        sent: list[tuple[bytes, bytes]] = [(b"authorization", f"Bearer {self.token}".encode())]
        sent += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode()}
        scope |= {"headers": sent, "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1", "root_path": "", "server": None}
        answer: list[Any] = [0, {}, 0]

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer[0] = message["status"]
                answer[1] = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer[2] += len(message.get("body", b""))

        requests = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if not requests:
                await asyncio.Event().wait()  # as a server does until the client goes away: an export listens for that all the time
            return requests.pop()

        await self.gate(scope, receive, send)
        return answer[0], answer[1], answer[2]


def _cpu(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / REQUESTS


def _list_figures(asker: Asker, store: Database, last_day: date) -> list[Figure]:
    values = PeriodFilter(PeriodType.DAILY, days=next(Days().windows(last_day))).parameters
    values |= {"after_start": None, "after_id": None, "after_name": None, "most": 201, "skipped": 0}
    statement = queries.load("aggregation/list_database_periods")
    with closing(psycopg2.connect(libpq_url(store.url))) as connection:

        def bare() -> None:
            for _ in range(REQUESTS):
                with connection, connection.cursor() as cursor:
                    cursor.execute(statement, values)
                    names = [column.name for column in cursor.description or ()]
                    json.dumps([dict(zip(names, row, strict=True)) for row in cursor.fetchall()], default=str).encode()

        def ours() -> None:
            status, _, size = asker.ask(PATH, "limit=200&period_type=daily", times=REQUESTS)
            assert (status, size > 50_000) == (200, True)

        _, headers, _ = asker.ask(PATH, "limit=200&period_type=daily")
        etag = headers["etag"]

        def unchanged() -> None:
            assert asker.ask(PATH, "limit=200&period_type=daily", times=REQUESTS, if_none_match=etag)[0] == 304

        listed: Comparison = alternate(lambda: _cpu(ours), lambda: _cpu(bare), ROUNDS)
        again: Comparison = alternate(lambda: _cpu(unchanged), lambda: _cpu(ours), ROUNDS)
    milliseconds = f"{1000 * median(listed.ours):.1f} ms against {1000 * median(listed.floor):.1f} ms CPU of a request"
    return [
        Figure("API: 200 rows against psycopg2 and json", listed.ratio, 1.5, "x", milliseconds),
        Figure("API: 304 against 200", again.ratio, 0.5, "x", f"{1000 * median(again.ours):.1f} ms CPU; nothing is written meanwhile"),
    ]


def _export_figure(asker: Asker, store: Database, days: Days) -> Figure:
    values = {**days.parameters, "instance_ids": None}
    query = f"start_date={days.first_day}&end_date={days.last_day}"

    class Sink:
        """Counts bytes."""

        size = 0

        def write(self, piece: bytes) -> int:
            self.size += len(piece)
            return len(piece)

    def raw() -> float:
        begun = time.monotonic()
        with store.session() as cursor:
            rows = sql.SQL(cursor.write_out(queries.load("capacity/export_database_sizes"), values))
            cursor.copy(sql.SQL("copy ({}) to stdout").format(rows), Sink())  # type: ignore[arg-type]
        return time.monotonic() - begun

    def ours() -> float:
        begun = time.monotonic()
        status, _, size = asker.ask("/api/v1/export/database_sizes", query, accept="application/x-ndjson")
        assert (status, size > 1_000_000) == (200, True)
        return time.monotonic() - begun

    compared = alternate(ours, raw, 3)
    return Figure("API: export as NDJSON against raw COPY", compared.ratio, 3, "x", f"{compared}; {INSTANCES * DATABASES * DAYS} rows")


def _memory_figure(store: Database, folder: Path, token: str, days: Days) -> Figure:
    """The peak memory of a web process: after an export of one day, and after one of all days."""
    with (
        web_process(store, folder) as web,
        httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=600, trust_env=False) as http,
    ):

        def export(first_day: date | None) -> int:
            parameters = {"start_date": str(first_day), "end_date": str(days.last_day)}
            accept = {"Accept": "application/x-ndjson"}
            with http.stream("GET", f"{web.url}/export/database_sizes", params=parameters, headers=accept) as answer:
                return sum(len(piece) for piece in answer.iter_bytes())

        export(days.last_day)
        before = web.peak_mebibytes()
        size = export(days.first_day)
        detail = f"{before:.0f} MiB after an export of a day, then {size / 1e6:.0f} MB of {INSTANCES * DATABASES * DAYS} rows"
        return Figure("API: peak memory of the web process", web.peak_mebibytes(), 150, "MiB", detail)


def measure(folder: Path) -> list[Figure]:
    """A list of 200 rows, the same unchanged, and an export with its memory."""
    with embedded_store(folder) as store:
        last_day: date = today(datetime.now(UTC), store.timezone)
        first_day = last_day - timedelta(days=DAYS - 1)
        fill(store, INSTANCES, first_day, last_day)
        register(History(store, INSTANCES, DATABASES, first_day, last_day))
        compute_periods(store, periods_between(PeriodType.DAILY, last_day - timedelta(days=1), last_day), last_day)
        with closing(Database(store.url, store.timezone, is_reader=True)) as reader:
            settings = load_settings({"WHALEFALL_HOME": str(folder)})
            services = Services(reader, store, settings, system_clock, NoLauncher(), b"key", lambda _: None, tuple)
            gate = build(services, rates=Rates(10**9, 10**9))
            made = tokens.create_token(store, "bench", Scope.READ, now=system_clock(), created_by="bench")
            asker = Asker(gate, made.secret)
            days = Days(first_day, last_day)
            try:
                export = _export_figure(asker, store, days)
                return [*_list_figures(asker, store, last_day), export, _memory_figure(store, folder / "web", made.secret, days)]
            finally:
                asker.loop.run_until_complete(asker.loop.shutdown_default_executor())
                asker.loop.close()
