"""What whalefall adds to Dagster's own import time: about 0.4 s for every run, half of it for the dataclasses of eleven areas."""

import subprocess
import sys
from pathlib import Path

from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate

ROUNDS = 7
_TIMED = "import time; begun = time.perf_counter(); {}; print(time.perf_counter() - begun)"
_OURS = "from whalefall_pipelines.definitions import defs; defs.get_repository_def()"


def _seconds(statement: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(_folder: Path) -> list[Figure]:
    """The ratio."""
    compared = alternate(lambda: _seconds(_OURS), lambda: _seconds("import dagster"), ROUNDS)
    return [Figure("load the code location / import dagster", compared.ratio, 1.8, "x", str(compared))]
