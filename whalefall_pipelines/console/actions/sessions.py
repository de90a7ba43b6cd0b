"""Actions on sessions: cancel one, and launch one that recovers or estimates what is missing on past days."""

from whalefall_pipelines.console.actions.action import Action, Data, Values
from whalefall_pipelines.console.blocks import Field, Links, Page, text
from whalefall_pipelines.console.urls import session_url


def _cancelled(data: Data, _: Values) -> Page:
    answer = "The session is cancelled, and its run stops within seconds. Finished servers keep their results."
    return Page("Session", answer, [Links([text("The session", session_url(data["session_id"]))])])


def _launched(data: Data, _: Values) -> Page:
    days = data["first_day"] if data["first_day"] == data["last_day"] else f"{data['first_day']} to {data['last_day']}"
    return Page(
        "Backfill", f"The backfill of {days} is queued in Dagster.", [Links([text("The session", session_url(data["session_id"]))])]
    )


CANCEL = Action("cancel-session", "Cancel", "/sessions/{session_id}/actions/cancel", _cancelled)
BACKFILL = Action(
    "launch-backfill",
    "Launch a backfill",
    "/capacity/backfills",
    _launched,
    fields=(
        Field("first_day", "First day", kind="date", is_required=True),
        Field("last_day", "Last day", kind="date", is_required=True),
    ),
    hint="A backfill recovers sizes from the servers' own histories, and estimates short gaps between known days. Measured sizes do not "
    "change.",
)
ACTIONS = (CANCEL, BACKFILL)
