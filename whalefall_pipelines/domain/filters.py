"""Which servers, databases and days a list is about. Empty means all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.domain.instances import Engine


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
