"""Sessions: a history of runs with one record per instance. Every run of every area opens a session."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.sessions.columns import COLUMNS

AREA = Area(
    __name__,
    commands={
        "sessions": "Show the history of runs, or cancel a running session.",
    },
    has_definitions=True,
    has_settings=True,
    has_router=True,
    has_metrics=True,
    automations=("end_dead_runs", "end_failed_runs", "end_cancelled_runs"),
    has_doctor_checks=True,
    has_grants=True,
    columns=COLUMNS,
)
