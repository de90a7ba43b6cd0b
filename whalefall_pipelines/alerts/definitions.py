"""The Dagster definitions of the alerts area."""

import dagster as dg

from whalefall_pipelines.alerts import checks, sensors

DEFINITIONS = dg.Definitions(asset_checks=checks.CHECKS, sensors=[sensors.send_due_alerts])
