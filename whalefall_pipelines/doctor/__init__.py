"""`whalefall doctor`: checks the whole installation, and shows the next step for each problem."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={
        "doctor": "Check this installation for problems.",
    },
)
