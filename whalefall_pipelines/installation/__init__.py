"""The installation itself: its store, its environment, and the processes that serve it."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands=("up", "store", "env"),
)
