"""Sessions: what ran, how it went, and a record of every instance in it. Every run of every area uses them."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands=("sessions",),
    has_definitions=True,
    automations=("end_dead_runs", "end_failed_runs", "end_cancelled_runs"),
    has_doctor_checks=True,
    has_grants=True,
)
