"""The Dagster definitions of the area of growth."""

import dagster as dg

from whalefall_pipelines.growth import assets, checks, jobs

DEFINITIONS = dg.Definitions(
    assets=[assets.growth_of_day],
    asset_checks=[checks.bars_add_up],
    jobs=[jobs.explain_growth],
    schedules=[jobs.explain_growth_every_day],
)
