"""`make bench`: every figure with its target, measured on this machine now. Exit code 1 when one is not met."""

import sys
import tempfile
from pathlib import Path

from whalefall_pipelines_tests.benchmarks import aggregation, backfill, crowd, load, upkeep, visit, write


def main() -> int:
    """Print each figure as it comes."""
    is_met = True
    for benchmark in (load, visit, write, upkeep, crowd, aggregation, backfill):
        with tempfile.TemporaryDirectory(prefix="whalefall-bench-") as folder:
            for figure in benchmark.measure(Path(folder)):
                print(figure, flush=True)
                is_met &= figure.is_met
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
