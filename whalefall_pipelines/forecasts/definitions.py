"""The Dagster definitions of the forecasts area."""

import dagster as dg

from whalefall_pipelines.forecasts import assets, checks, jobs

DEFINITIONS = dg.Definitions(
    assets=[assets.forecast_fleet],
    asset_checks=[checks.no_limit_is_near, checks.headroom_exceeds_the_largest_jump, checks.intervals_hold_as_promised],
    jobs=[jobs.make_forecasts],
    schedules=[jobs.forecast_every_day],
)
