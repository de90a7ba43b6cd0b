"""What requests cost a collection that runs at the same time: the same day is collected with and without them, in pairs.

One caller asks as often as the limit of a caller allows by default. It is a process of its own, as the web process is.
"""

import itertools
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import httpx

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.gate.limits import Rates
from whalefall_pipelines_tests.benchmarks.crowd import DEADLINES, THREADS, forget, healthy, seconds_of
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.benchmarks.web import web_process
from whalefall_pipelines_tests.factories import FleetTest

INSTANCES = 1000
ROUNDS = 5
PATHS = ("/databases/sizes?latest_only=true&limit=200", "/coverage?time_range=7", "/sessions", "/largest-databases", "/instances?limit=200")
RATE = Rates().reads_per_second


def ask(url: str, token: str) -> None:
    """Ask at this rate until this process is ended."""
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False) as http:
        begun = time.monotonic()
        for number, path in enumerate(itertools.cycle(PATHS)):
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            answer = http.get(f"{url}{path}")
            assert answer.status_code in {200, 404}, answer.text  # nothing is the largest until the first size is stored
            if number == 0:
                print("asked", flush=True)


@contextmanager
def asking(url: str, token: str) -> Generator[None]:
    """A process that asks for the block."""
    with subprocess.Popen([sys.executable, "-m", __name__, url, token], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # it has its first answer
        try:
            yield
            assert process.poll() is None
        finally:
            process.terminate()


def measure(folder: Path) -> list[Figure]:
    """How many times longer a collection takes, and how much more processor time its process needs."""
    with embedded_store(folder / "home") as store:
        now = datetime.now(UTC)
        day = today(now, store.timezone)
        fleet = FleetTest(store, folder, {f"target-{number}": healthy() for number in range(INSTANCES)}, now=now, parallel=THREADS)
        fleet.deadlines = DEADLINES
        made = tokens.create_token(store, "bench", Scope.READ, now=system_clock(), created_by="bench")
        cpu: dict[bool, list[float]] = {True: [], False: []}

        def collect(*, is_asked: bool) -> float:
            begun = time.process_time()
            seconds = seconds_of(fleet, day)
            cpu[is_asked].append(time.process_time() - begun)
            return seconds

        with web_process(store, folder / "web") as web:

            def beside() -> float:
                forget(store)  # it locks whole tables, so nobody may ask yet
                with asking(web.url, made.secret):
                    return collect(is_asked=True)

            def alone() -> float:
                forget(store)
                return collect(is_asked=False)

            compared = alternate(beside, alone, ROUNDS)
    ratio = median(asked / bare for asked, bare in zip(cpu[True][1:], cpu[False][1:], strict=True))
    detail = f"{compared}; {INSTANCES} fake servers, {RATE:g} requests per second"
    return [
        Figure("collection beside requests / alone", compared.ratio, 1.1, "x", detail),
        Figure("the same: processor time of the collection", ratio, 1.1, "x", f"{median(cpu[False]):.2f} s of it alone"),
    ]


if __name__ == "__main__":
    ask(sys.argv[1], sys.argv[2])
