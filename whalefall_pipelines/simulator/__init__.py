"""The simulator: a fleet of any size that never existed, with its history, as a test bed. Its store says that it is simulated."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={"simulate": "Fill a home of its own with a simulated fleet and its history."},
)
