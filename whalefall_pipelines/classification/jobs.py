"""The job of the classification area."""

import dagster as dg

from whalefall_pipelines.classification.assets import CLASSES

classify_accounts = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "classify_accounts",
    selection=dg.AssetSelection.assets(CLASSES),
    description="Classifies the accounts of the fleet with the active rules.",
    tags={"whalefall/concurrency_group": "classify"},
)
