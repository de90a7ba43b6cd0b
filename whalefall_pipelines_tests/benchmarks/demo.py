"""How long a newcomer waits for the first day: the demo in a new home, and once more."""

import time
from pathlib import Path

from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.cli.trees import Home

FIRST_SECONDS, AGAIN_SECONDS = 30, 10


def _seconds(home: Home) -> float:
    begun = time.monotonic()
    home.succeed("demo", seconds=900)
    return time.monotonic() - begun


def measure(folder: Path) -> list[Figure]:
    """The seconds of both, without the installation of the package."""
    home = Home(folder / "home")
    try:
        first, again = _seconds(home), _seconds(home)
    finally:
        home.run("demo", "--stop")
    return [
        Figure("whalefall demo, the first time", first, FIRST_SECONDS, "s", "five servers, 120 days of history, all through Dagster"),
        Figure("whalefall demo, again", again, AGAIN_SECONDS, "s", "the servers run"),
    ]
