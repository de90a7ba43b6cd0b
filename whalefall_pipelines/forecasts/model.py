"""Series, and the chunk of them that is forecast at once. `figures.py` has the rows of the reports."""

from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.forecasts.arrays import Flags, Integers
from whalefall_pipelines.forecasts.replay import Panel, Pending
from whalefall_pipelines.forecasts.track import Track

# Rises whenever the same sizes would give another forecast.
CODE_VERSION = 1
# The column of what never was; minus this, of what has no end.
NEVER = -(10**6)


@dataclass(frozen=True, slots=True)
class Series:
    """A database of a server, or with `database_id` 0 the server. `ends_on` is exclusive, None while it is active.

    `last_made_on` is the day of its newest forecast; `has_day` says whether it has one of the day that is asked for.
    """

    instance_id: int
    database_id: int
    begins_on: date
    ends_on: date | None
    last_made_on: date | None
    has_day: bool

    def is_wanted_on(self, day: date) -> bool:
        """Whether it needs a forecast of this day."""
        return not self.has_day and self.begins_on <= day and (self.ends_on is None or day < self.ends_on)


@dataclass(frozen=True, slots=True)
class Chunk:
    """All series of some servers up to a day: their sizes, their track records, and which forecasts are to be made.

    `last_made` is the column of the newest forecast of each series, `NEVER` if it has none; `wanted` are the rows without a forecast of
    the day; `slope_known` is the column of the newest known change of slope.
    """

    series: tuple[Series, ...]
    panel: Panel
    track: Track
    pending: tuple[Pending, ...]
    last_made: Integers
    wanted: Flags
    slope_known: Integers
