"""`make bench`: every figure with its target, measured on this machine now. Exit code 1 when one is not met.

`python -m whalefall_pipelines_tests.benchmarks probe write` measures these alone; those of `ON_REQUEST` are measured only then.
"""

import sys
import tempfile
from pathlib import Path

from whalefall_pipelines_tests.benchmarks import (
    account_store,
    accounts,
    aggregation,
    api,
    api_years,
    backfill,
    beside,
    classification,
    commands,
    console,
    crowd,
    demo,
    forecast_store,
    forecasts,
    growth,
    load,
    maintenance,
    probe,
    scale,
    tables,
    write,
    zones,
)

BENCHMARKS = {
    "commands": commands.measure,
    "demo": demo.measure,
    "console": console.measure,
    "load": load.measure,
    "probe": probe.measure,
    "write": write.measure,
    "maintenance": maintenance.measure,
    "crowd": crowd.measure,
    "aggregation": aggregation.measure,
    "backfill": backfill.measure,
    "accounts": accounts.measure,
    "account_store": account_store.measure,
    "classification": classification.measure,
    "tables": tables.measure,
    "forecasts": forecasts.measure,
    "growth": growth.measure,
    "api": api.measure,
}
# Only when named: they load for minutes, or need a large fleet or a Redis.
ON_REQUEST = {
    "full_tick": aggregation.measure_full_tick,
    "forecast_store": forecast_store.measure,
    "api_years": api_years.measure,
    "beside": beside.measure,
    "scale": scale.measure,
    "scale_day": scale.measure_day,
    "zones": zones.measure,
}


def main(names: list[str]) -> int:
    """Print each figure as it comes."""
    is_met = True
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="whalefall-bench-") as folder:
            for figure in (BENCHMARKS | ON_REQUEST)[name](Path(folder)):
                print(figure, flush=True)
                is_met &= figure.is_met
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
