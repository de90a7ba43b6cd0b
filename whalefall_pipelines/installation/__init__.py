"""The installation itself: its store, its environment, and the processes that serve it."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={
        "up": "Run the store, the schedules and the web UI until Ctrl-C.",
        "store": "Start, stop, show and migrate the store.",
        "env": "Print the environment for Dagster's own commands.",
        "service": "Run whalefall as a systemd service.",
        "uninstall": "Stop and remove this installation.",
    },
)
