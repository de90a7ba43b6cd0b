"""Executes runs in this process, one after the other: `python -m whalefall_pipelines.execute_runs RUNS`.

`sessions/run_in_dagster.py` starts it and defines RUNS. Importing Dagster takes seconds, so several runs share one process.
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
    """A requested run: the name of its job, and its tags."""

    job: str
    tags: dict[str, str]


def job_named(name: str) -> dg.JobDefinition:
    """The job with this name."""
    return defs.get_job_def(name)


def execute_runs(orders: Sequence[Order]) -> bool:
    """Execute these runs until one breaks. Return False if one broke."""
    with dg.DagsterInstance.get() as instance:
        if any(RANGE_TAGS[0] in order["tags"] for order in orders):
            # Before a range starts, Dagster writes two rows per day, each over a new connection: 17 of 23 s for a range of 120 days. A kept
            # connection does not survive a restart of the store, so it is used only for ranges.
            instance.optimize_for_webserver(STATEMENT_MILLISECONDS, RECYCLE_SECONDS, MOST_CONNECTIONS)
        for order in orders:
            job = dg.build_reconstructable_job("whalefall_pipelines.execute_runs", job_named.__name__, (order["job"],))
            result = dg.execute_job(job, instance, tags=order["tags"])
            if not result.success and not _failed_on_purpose(result):
                return False
    return True


def _failed_on_purpose(result: dg.JobExecutionResult) -> bool:
    """Whether the steps failed by `dg.Failure`: they did their work, and made the run red because of its outcome."""
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return bool(failures) and all(failure.user_failure_data for failure in failures)


if __name__ == "__main__":
    sys.exit(0 if execute_runs(json.loads(sys.argv[1])) else 1)
