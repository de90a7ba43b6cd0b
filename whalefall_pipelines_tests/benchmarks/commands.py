"""How long a person waits for a command: for the help, and for an answer from the store of a fleet."""

import subprocess
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from whalefall_pipelines.domain.days import today
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.fill import DATABASES, fill
from whalefall_pipelines_tests.benchmarks.history import History, register
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.cli.trees import WHALEFALL, Home

INSTANCES, DAYS = 100, 60
ROUNDS = 10
# Commands with the seconds in which they must answer.
_TARGETS = {("--help",): 0.4, ("top",): 1.0, ("growth", "--since", "30d"): 1.0}


def _seconds(home: Home, arguments: tuple[str, ...]) -> float:
    begun = time.monotonic()
    subprocess.run([*WHALEFALL, *arguments], env=home.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - begun


def _fill(folder: Path) -> None:
    with embedded_store(folder) as store:
        last_day: date = today(datetime.now(UTC), store.timezone)
        first_day = last_day - timedelta(days=DAYS - 1)
        fill(store, INSTANCES, first_day, last_day)
        register(History(store, INSTANCES, DATABASES, first_day, last_day))


def measure(folder: Path) -> list[Figure]:
    """The median of a few rounds after one that does not count. The store runs, as it does beside `whalefall up`."""
    home = Home(folder / "home")
    _fill(home.folder)
    figures: list[Figure] = []
    try:
        for arguments, target in _TARGETS.items():
            seconds = [_seconds(home, arguments) for _ in range(ROUNDS + 1)][1:]
            detail = f"best {min(seconds):.2f} s; {INSTANCES * DATABASES} databases x {DAYS} days"
            figures.append(Figure(f"whalefall {' '.join(arguments)}", median(seconds), target, "s", detail))
    finally:
        home.run("store", "stop")
    return figures
