"""Alerts: rules over what is stored, what became of them, and the messages that tell it. Delivery is ours, since Dagster delivers none."""

from whalefall_pipelines.alerts.columns import COLUMNS
from whalefall_pipelines.area import Area

AREA = Area(__name__, has_settings=True, has_grants=True, columns=COLUMNS)
