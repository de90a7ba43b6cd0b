"""Actions on alerts: say that you have seen one, mute, and end a mute."""

from collections.abc import Mapping
from typing import Any

from whalefall_pipelines.console.actions.action import Action, Data, Values
from whalefall_pipelines.console.blocks import Field, Links, Page, text

_BACK = Links([text("All alerts", "/alerts")])


def _acknowledged(data: Data, _: Values) -> Page:
    return Page("Alert", f"Alert {data['alert']['alert_id']} is acknowledged: nothing more is sent, unless it becomes worse.", [_BACK])


def _muted(data: Data, _: Values) -> Page:
    return Page("Mute", f"Mute {data['mute_id']} ends by itself at {data['until_at']}.", [_BACK])


def _unmuted(data: Data, _: Values) -> Page:
    return Page("Mute", f"Mute {data} is over.", [_BACK])


def _body_of_mute(values: Values) -> Mapping[str, Any]:
    """The days are a number; what is not one stays text, which the API refuses."""
    body: dict[str, Any] = {name: content for name, content in values.items() if content}
    return body | ({"days": int(values["days"])} if values.get("days", "").isdecimal() else {})


ACKNOWLEDGE = Action(
    "acknowledge-alert",
    "Acknowledge",
    "/alerts/{alert_id}/actions/acknowledge",
    _acknowledged,
    fields=(Field("note", "What you know of it"), Field("until", "Until", kind="date")),
    hint="Nothing more is sent until it is over, or until that day; it is told again if it becomes worse.",
)
MUTE = Action(
    "create-mute",
    "Mute",
    "/alert-mutes",
    _muted,
    fields=(
        Field("rule_name", "Rule", example="headroom"),
        Field("instance_name", "Server"),
        Field("database_name", "Database"),
        Field("days", "Days", kind="number", example="7", is_required=True),
        Field("reason", "Why", is_required=True),
    ),
    hint="Name a rule or a server. What is still so when it ends is told then.",
    body=_body_of_mute,
)
UNMUTE = Action("end-mute", "End it", "/alert-mutes/{mute_id}", _unmuted, method="DELETE")
ACTIONS = (ACKNOWLEDGE, MUTE, UNMUTE)
