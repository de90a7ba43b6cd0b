"""The Dagster definitions of the alerts area."""

import dagster as dg

from whalefall_pipelines.alerts import sensors

DEFINITIONS = dg.Definitions(sensors=[sensors.send_due_alerts])
