"""The Dagster definitions of the inventory area."""

import dagster as dg

from whalefall_pipelines.inventory import assets

DEFINITIONS = dg.Definitions(assets=[assets.instances])
