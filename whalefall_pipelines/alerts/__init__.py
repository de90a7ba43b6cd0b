"""Alerts: rules over what is stored, what became of them, and the messages that tell it. Delivery is ours, since Dagster delivers none."""

from whalefall_pipelines.alerts.columns import COLUMNS
from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={
        "alerts": "Show what is wrong, say that you have seen it, and send the messages that tell it.",
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
