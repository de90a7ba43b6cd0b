"""The Dagster definitions of the classification area."""

import dagster as dg

from whalefall_pipelines.classification import assets, jobs, sensors

DEFINITIONS = dg.Definitions(
    assets=[assets.fleet_classifications], jobs=[jobs.classify_accounts], sensors=[sensors.refresh_classifications]
)
