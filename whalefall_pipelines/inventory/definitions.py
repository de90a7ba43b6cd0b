"""What the inventory brings to Dagster."""

import dagster as dg

from whalefall_pipelines.inventory import assets

DEFINITIONS = dg.Definitions(assets=[assets.instances])
