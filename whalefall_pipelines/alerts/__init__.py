"""Alerts: rules over what is stored, what became of them, and the messages that tell it. Delivery is ours, since Dagster delivers none."""

from whalefall_pipelines.alerts.columns import COLUMNS
from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={
        "alerts": "Show alerts, acknowledge and mute them, and send their messages.",
        "report": "Report a week: total, growth by tag, runways, changes of access, coverage and alerts.",
    },
    has_definitions=True,
    automations=("send_due_alerts",),
    has_settings=True,
    has_doctor_checks=True,
    has_grants=True,
    has_router=True,
    columns=COLUMNS,
)
