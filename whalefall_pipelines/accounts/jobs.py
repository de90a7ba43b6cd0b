"""The job of the accounts area and its schedule."""

import dagster as dg

from whalefall_pipelines.accounts.assets import ACCOUNTS, PRIVILEGES
from whalefall_pipelines.inventory.schedules import schedule_of_fleet

sync_accounts = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "sync_accounts",
    selection=dg.AssetSelection.assets(ACCOUNTS, PRIVILEGES),
    description="Reads the accounts of every active server. List instances in the run config to read only these.",
    tags={"whalefall/concurrency_group": "accounts"},
)


sync_accounts_every_night = schedule_of_fleet(
    "sync_accounts_every_night", sync_accounts, "0 1 * * *", "Reads the accounts of the fleet every night at 01:00."
)
