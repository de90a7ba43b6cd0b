"""Executes runs in this process, one after the other: `python -m whalefall_pipelines.execute_runs RUNS`.

`sessions/run_in_dagster.py` starts it and says what RUNS is. Importing Dagster takes seconds, so several runs share one process.
"""

import json
import sys
from collections.abc import Sequence
from typing import TypedDict

import dagster as dg

from whalefall_pipelines.dagster_base.runs import RANGE_TAGS
from whalefall_pipelines.definitions import defs

STATEMENT_MILLISECONDS = 60_000
RECYCLE_SECONDS = 60
MOST_CONNECTIONS = 10


class Order(TypedDict):
    """A run as it is asked for: the name of its job, and its tags."""

    job: str
    tags: dict[str, str]


def job_named(name: str) -> dg.JobDefinition:
    """One of the jobs, by its name."""
    return defs.get_job_def(name)


def execute_runs(orders: Sequence[Order]) -> bool:
    """Execute these runs; False when one of them did not succeed, which is the last one then."""
    with dg.DagsterInstance.get() as instance:
        if any(RANGE_TAGS[0] in order["tags"] for order in orders):
            # Dagster writes two rows for each partition of a range before it begins, each over a connection of its own: 17 of the 23 s
            # that a range of 120 days took. A connection that is kept does not outlast a restart of the store, which a single run does.
            instance.optimize_for_webserver(STATEMENT_MILLISECONDS, RECYCLE_SECONDS, MOST_CONNECTIONS)
        for order in orders:
            job = dg.build_reconstructable_job("whalefall_pipelines.execute_runs", job_named.__name__, (order["job"],))
            if not dg.execute_job(job, instance, tags=order["tags"]).success:
                return False
    return True


if __name__ == "__main__":
    sys.exit(0 if execute_runs(json.loads(sys.argv[1])) else 1)
