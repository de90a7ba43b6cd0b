"""One process and a large fleet: what writing servers together saves, how slow servers are waited for, and the memory of both.

Each figure is measured in a process of its own, with its own store.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from whalefall_pipelines.capacity.collect import Collector, SizesOfDay
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.capacity.write_failures import write_failures
from whalefall_pipelines.capacity.write_snapshot import write_snapshots
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import analyze_months, ensure_months
from whalefall_pipelines_tests.benchmarks.crowd import peak_mebibytes
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import DATABASES, embedded_store
from whalefall_pipelines_tests.days import compute_periods
from whalefall_pipelines_tests.factories import FleetTest

SERVERS, LATENCY_SECONDS, ROUNDS = 5000, 0.1, 2
SLOW_SERVERS, SLOW_SECONDS, SLOW_THREADS = 2000, (1.0, 3.0), 512
# A night of the largest fleet: probes of 50 to 200 ms.
DAY_SERVERS, DAY_SECONDS, DAY_THREADS = 50_000, (0.05, 0.2), 512
# What the setting is where it is not set, for a fleet of this size.
THREADS = 256


@dataclass(frozen=True, slots=True)
class Fleet:
    """Fake servers and the day on which they are collected."""

    test: FleetTest

    def collect(self, *, together: bool) -> float:
        """Collect the day as every run does, or with a transaction for each server; the seconds that it took."""
        store, instances = self.test.store, self.test.instances
        with store.transaction() as cursor:
            cursor.execute("truncate database_size_stats, instance_size_stats, capacity_gaps, sync_instance_records, sync_sessions")
        day = today(self.test.now, store.timezone)
        plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day)
        collector = self.test.collector()
        begun = time.monotonic()
        with sync_session(store, plan, instances):
            work = None if together else _alone(collector, plan)
            outcomes = (
                collector.collection.collect(instances, plan.session_id, work)
                if work
                else collector.collect_day(instances, day, plan.session_id)
            )
            assert sum(outcome.error is None for outcome in outcomes) == len(instances)
        return time.monotonic() - begun

    def compute(self) -> float:
        """Compute the four periods of the collected day; the seconds that it took."""
        store, day = self.test.store, today(self.test.now, self.test.store.timezone)
        begun = time.monotonic()
        analyze_months(store, [day], STATS_TABLES)
        for period_type in PeriodType:
            compute_periods(store, [period_of(period_type, day)], day)
        return time.monotonic() - begun


def _alone(collector: Collector, plan: SessionPlan) -> SizesOfDay:
    """The same work, in which no server is written together with another one."""
    database, day = collector.collection.database, plan.first_day
    ensure_months(database, [day])
    return SizesOfDay(
        collector,
        day,
        lambda probed: write_snapshots(database, [probed], day, plan.session_id, is_patient=True)[0],
        lambda failed: write_failures(database, [failed], day, plan.session_id, is_patient=True)[0],
    )


def _fleet(store: Database, folder: Path, servers: int, seconds: tuple[float, float], threads: int) -> Fleet:
    databases: dict[str, int | None] = {f"application_{number}": 1_000_000 + number for number in range(DATABASES)}
    shortest, longest = seconds
    fakes = {
        f"target-{number}": FakeServer(databases, delay_seconds=shortest + (longest - shortest) * number / servers)
        for number in range(servers)
    }
    fleet = FleetTest(store, folder, fakes, now=datetime.now(UTC), parallel=threads)
    fleet.deadlines = Deadlines(connect_seconds=10, instance_seconds=60)
    return Fleet(fleet)


def run(kind: str, folder: Path) -> None:
    """Measure in this process, and print the result with the memory peak in MiB."""
    with embedded_store(folder / "store") as store:
        if kind == "slow":
            slow = _fleet(store, folder, SLOW_SERVERS, SLOW_SECONDS, SLOW_THREADS)
            slow.collect(together=True)
            print(json.dumps([min(slow.collect(together=True) for _ in range(2)), peak_mebibytes()]))
            return
        if kind == "day":
            night = _fleet(store, folder, DAY_SERVERS, DAY_SECONDS, DAY_THREADS)
            print(json.dumps([night.collect(together=True), night.compute(), peak_mebibytes()]))
            return
        fleet = _fleet(store, folder, SERVERS, (LATENCY_SECONDS, LATENCY_SECONDS), THREADS)
        compared = alternate(lambda: fleet.collect(together=True), lambda: fleet.collect(together=False), ROUNDS)
        print(json.dumps([compared.ratio, str(compared), SERVERS / min(compared.ours), peak_mebibytes()]))


def measure(folder: Path) -> list[Figure]:
    """The ratio, the seconds and the peaks."""
    fleet = f"{SERVERS} fake servers of {DATABASES} databases, {LATENCY_SECONDS * 1000:.0f} ms each, {THREADS} threads"
    ratio, seconds, rate, peak = _measured("fleet", folder)
    slow = f"{SLOW_SERVERS} fake servers of 1 to 3 s, {SLOW_THREADS} threads"
    slow_seconds, slow_peak = _measured("slow", folder)
    return [
        Figure("servers written together / one by one", ratio, 1 / 1.8, "x", f"{seconds}; {rate:.0f} servers/s, {fleet}"),
        Figure("peak memory of a large fleet", peak, 256, "MiB", fleet),
        Figure("slow servers in one process", slow_seconds, 12, "s", slow),
        Figure("peak memory of slow servers", slow_peak, 256, "MiB", slow),
    ]


def measure_day(folder: Path) -> list[Figure]:
    """A day of the largest fleet, stored and with all of its periods computed."""
    stored, computed, peak = _measured("day", folder)
    fleet = f"{DAY_SERVERS} fake servers of {DATABASES} databases, {DAY_THREADS} threads"
    return [
        Figure(
            "a day of the largest fleet, stored and computed", stored + computed, 900, "s", f"{stored:.0f} s and {computed:.0f} s; {fleet}"
        ),
        Figure("peak memory of that day", peak, 256, "MiB", fleet),
    ]


def _measured(kind: str, folder: Path) -> list[float]:
    command = [sys.executable, "-m", "whalefall_pipelines_tests.benchmarks.scale", kind, str(folder / kind)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
