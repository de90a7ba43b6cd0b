"""The Dagster definitions of the sessions area."""

import dagster as dg

from whalefall_pipelines.sessions import sensors

DEFINITIONS = dg.Definitions(sensors=[sensors.end_dead_runs, sensors.end_failed_runs, sensors.end_cancelled_runs])
