"""The Dagster definitions of the area of growth."""

import dagster as dg

DEFINITIONS = dg.Definitions()
