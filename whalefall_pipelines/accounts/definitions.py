"""The Dagster definitions of the accounts area."""

import dagster as dg

from whalefall_pipelines.accounts import assets, checks, jobs, sensors

DEFINITIONS = dg.Definitions(
    assets=[assets.fleet_accounts],
    asset_checks=[
        checks.every_active_instance_was_observed,
        checks.no_account_gained_superuser,
        checks.nothing_is_unreadable_without_a_cure,
    ],
    jobs=[jobs.sync_accounts],
    schedules=[jobs.sync_accounts_every_night],
    sensors=[sensors.retry_unread_accounts],
)
