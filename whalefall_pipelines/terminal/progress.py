"""Progress on standard error. Only the commands that show it import this module, because rich takes long to import."""

from rich.console import Console


def error_console() -> Console:
    """Standard error, for progress."""
    return Console(stderr=True, highlight=False)
