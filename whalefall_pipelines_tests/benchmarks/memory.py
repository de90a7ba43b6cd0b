"""How much memory a run over a large fleet takes: a process of its own, so that nothing else is counted."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from whalefall_pipelines.domain.capacity import today
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.servers import DATABASES, embedded_store
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import FleetTest, server

INSTANCES = 1000
THREADS = 32


def run(folder: Path) -> None:
    """Collect a day of fake servers into a real store, and print the seconds and the peak in MiB."""
    now = datetime.now(UTC)
    names = {f"target-{number}": server({f"application_{one}": 1000 + one for one in range(DATABASES)}) for number in range(INSTANCES)}
    with embedded_store(folder) as store:
        fleet = FleetTest(store, folder, names, now=now, parallel=THREADS)
        begun = time.monotonic()
        fleet.collect(today(now, TIMEZONE))
        seconds = time.monotonic() - begun
        assert len(fleet.sizes(today(now, TIMEZONE))) == INSTANCES * DATABASES
    print(json.dumps([seconds, _peak_mebibytes()]))


def _peak_mebibytes() -> float:
    # Not getrusage: its peak survives exec, and would be that of the benchmark that held a million rows before.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def measure(folder: Path) -> list[Figure]:
    """The peak."""
    command = [sys.executable, "-m", "whalefall_pipelines_tests.benchmarks.memory", str(folder / "home")]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, peak = json.loads(output)
    detail = f"{INSTANCES} fake servers of {DATABASES} databases in {seconds:.1f} s"
    return [Figure("peak memory of a run", peak, 256, "MiB", detail)]


if __name__ == "__main__":
    run(Path(sys.argv[1]))
