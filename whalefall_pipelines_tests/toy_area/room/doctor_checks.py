"""The doctor's checks of toys."""

from collections.abc import Iterator

from whalefall_pipelines.toys.count import count

from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine


def check(examined: Examined) -> Iterator[Outcome]:
    """Whether there are toys."""
    yield fine("toys", f"{count(examined.store)} toys.")
