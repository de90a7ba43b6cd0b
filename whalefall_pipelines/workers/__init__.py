"""Workers of zones: with the extra `celery`, every run is executed by a worker of its zone. Nothing here is used without it."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={"worker": "Execute the runs of the zones that this machine reaches, until Ctrl-C."},
    has_doctor_checks=True,
)
