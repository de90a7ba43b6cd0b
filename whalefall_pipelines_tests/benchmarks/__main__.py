"""`make bench`: every figure with its target, measured on this machine now. Exit code 1 when one is not met.

`python -m whalefall_pipelines_tests.benchmarks visit write` measures those alone.
"""

import sys
import tempfile
from pathlib import Path

from whalefall_pipelines_tests.benchmarks import aggregation, backfill, crowd, load, upkeep, visit, write

BENCHMARKS = {
    "load": load.measure,
    "visit": visit.measure,
    "write": write.measure,
    "upkeep": upkeep.measure,
    "crowd": crowd.measure,
    "aggregation": aggregation.measure,
    "backfill": backfill.measure,
}


def main(names: list[str]) -> int:
    """Print each figure as it comes."""
    is_met = True
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="whalefall-bench-") as folder:
            for figure in BENCHMARKS[name](Path(folder)):
                print(figure, flush=True)
                is_met &= figure.is_met
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
