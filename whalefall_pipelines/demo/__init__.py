"""`whalefall demo`: a small fleet of real servers with a simulated history. Only this package writes `method = 'simulated'`."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={
        "demo": "Start a fleet of real servers with a simulated history, and a console over it.",
    },
)
