"""Which servers, databases and days a list is about. Empty means all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from whalefall_pipelines.domain.instances import Engine

_WINDOWS = (timedelta(days=31), timedelta(days=366))


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """Servers by id, by engine, by a tag, whose value is None if any value counts, and by the name of their zone.

    Removed servers never count.
    """

    instance_ids: tuple[int, ...] = ()
    engines: tuple[Engine, ...] = ()
    tag: tuple[str, str | None] | None = None
    zone: str | None = None

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of a statement that filters servers."""
        name, value = self.tag or (None, None)
        return {
            "instance_ids": list(self.instance_ids) or None,
            "engines": [str(engine) for engine in self.engines] or None,
            "zone": self.zone,
            "tag_name": name,
            "tag_value": value,
        }


@dataclass(frozen=True, slots=True)
class Days:
    """Days from the first to the last, both inclusive; None is open."""

    first_day: date | None = None
    last_day: date | None = None

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of a statement that filters days."""
        return {"first_day": self.first_day, "last_day": self.last_day}

    def windows(self, newest: date) -> Iterator["Days"]:
        """Parts of these days that end with them: about a month before the newest one, then more of them, and all of them at last.

        What lists the newest rows first finds them in the first parts, and does not read or plan the older table partitions.
        """
        for length in _WINDOWS:
            first_day = newest - length
            if self.first_day is None or first_day > self.first_day:
                yield Days(first_day, self.last_day)
        yield self
