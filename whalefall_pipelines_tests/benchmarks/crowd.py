"""A large fleet in which some servers are dead and some hang: the time they add, the memory used, and what is left behind.

It runs in its own process, so that nothing else is counted.
"""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg2

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.servers import DATABASES, embedded_store
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.factories import FleetTest, server

INSTANCES = 1000
# The default. 32 are enough for the hanging servers, but the dead ones then delay the others by 2 s.
THREADS = 64
DEADLINES = Deadlines(connect_seconds=2, instance_seconds=10)


@dataclass(frozen=True, slots=True)
class Crowd:
    """The result: seconds without faults, seconds with them, the gaps they left, and threads and connections left behind."""

    bare_seconds: float
    seconds: float
    gaps: int
    threads_left: int
    connections_left: int


def collect_crowd(store: Database, home: Path, instances: int, deadlines: Deadlines = DEADLINES) -> Crowd:
    """Collect a day of fake servers twice: all of them healthy, then 5 % of them dead and 2 % hanging."""
    now = datetime.now(UTC)
    day = today(now, store.timezone)
    before = threading.active_count()
    fleet = FleetTest(store, home, {f"target-{number}": healthy() for number in range(instances)}, now=now, parallel=THREADS)
    fleet.deadlines = deadlines
    bare_seconds = seconds_of(fleet, day)
    assert len(fleet.sizes(day)) == instances * DATABASES
    forget(store)
    names = random.Random(instances).sample(sorted(fleet.servers), instances * 7 // 100)  # noqa: S311 - which ones is no secret
    dead, hanging = names[: instances * 5 // 100], names[instances * 5 // 100 :]
    for name in dead:
        refusal = UnreachableError("no answer", reason="timeout")
        fleet.servers[name] = FakeServer(refusal=refusal, delay_seconds=deadlines.connect_seconds)
    for name in hanging:
        fleet.servers[name] = FakeServer(hangs=True)
    seconds = seconds_of(fleet, day)
    assert len(fleet.sizes(day)) == (instances - len(names)) * DATABASES
    gaps = len(fleet.gaps(day))
    store.close()
    threads_left, connections_left = _left(lambda: threading.active_count() - before), _left(lambda: _connections(store))
    return Crowd(bare_seconds, seconds, gaps, threads_left, connections_left)


def healthy() -> FakeServer:
    """A server whose databases are all measured."""
    return server({f"application_{number}": 1000 + number for number in range(DATABASES)})


def seconds_of(fleet: FleetTest, day: date) -> float:
    """How long a collection of this day takes."""
    begun = time.monotonic()
    fleet.collect(day)
    return time.monotonic() - begun


def forget(store: Database) -> None:
    """Leave the days out of the store, so that the next collection writes the same."""
    with store.transaction() as cursor:
        cursor.execute("truncate database_size_stats, instance_size_stats, capacity_gaps")


def _left(count: Callable[[], int]) -> int:
    """The number that remains after a while: threads and connections end a moment after the work, even the connection that counts them."""
    deadline = time.monotonic() + 10
    while (left := count()) > 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _connections(store: Database) -> int:
    others = "datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
    with closing(psycopg2.connect(libpq_url(store.url))) as connection, connection.cursor() as cursor:
        cursor.execute(f"select count(*) from pg_stat_activity where {others}")
        return int((cursor.fetchone() or (0,))[0])


def run(folder: Path) -> None:
    """Collect into a real store, and print the result with the memory peak in MiB."""
    with embedded_store(folder) as store:
        crowd = collect_crowd(store, folder, INSTANCES)
    left = crowd.threads_left + crowd.connections_left
    print(json.dumps([crowd.bare_seconds, crowd.seconds, left, peak_mebibytes()]))


def peak_mebibytes(process: str = "self") -> float:
    """The peak memory of a process; of this one by default."""
    # Not getrusage: its peak survives exec, and would be that of the previous benchmark, which held a million rows.
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def measure(folder: Path) -> list[Figure]:
    """The seconds added, the peak, and what is left."""
    command = [sys.executable, "-m", "whalefall_pipelines_tests.benchmarks.crowd", str(folder / "home")]
    bare, seconds, left, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    fleet = f"{INSTANCES} fake servers of {DATABASES} databases"
    detail = f"{seconds:.1f} s against {bare:.1f} s with {THREADS} at once; one instance has {DEADLINES.instance_seconds:.0f} s"
    return [
        Figure("5 % dead, 2 % hanging: seconds added", seconds - bare, DEADLINES.instance_seconds, "s", f"{fleet}: {detail}"),
        Figure("threads and connections left behind", left, 0, "", fleet),
        Figure("peak memory of a run", peak, 256, "MiB", fleet),
    ]


if __name__ == "__main__":
    run(Path(sys.argv[1]))
