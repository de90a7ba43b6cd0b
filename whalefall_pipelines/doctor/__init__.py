"""`whalefall doctor`: the whole installation at a glance, and the one next thing to do for each problem."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands=("doctor",),
)
