"""Selects registered instances by their tags, engines and zones, for commands over a part of the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.zones import Zones, name_of
from whalefall_pipelines.inventory.registration import RegisteredInstance


@dataclass(frozen=True, slots=True)
class Selection:
    """The instances with all of these tags, and with one of these engines and zones if there are any.

    The value of a tag is None for any value.
    """

    tags: tuple[tuple[str, str | None], ...] = ()
    engines: frozenset[Engine] = field(default_factory=frozenset[Engine])
    zones: Zones = frozenset()

    def __bool__(self) -> bool:
        """Whether it selects at all."""
        return bool(self.tags or self.engines or self.zones)

    def __str__(self) -> str:
        """The options that make it."""
        tags = [f"--tag {key if value is None else f'{key}={value}'}" for key, value in self.tags]
        engines = [f"--engine {engine}" for engine in sorted(self.engines)]
        return " ".join([*tags, *engines, *(f"--zone {name}" for name in sorted(map(name_of, self.zones)))])

    def selects(self, registered: RegisteredInstance) -> bool:
        """Whether this instance is one of them."""
        return self.fits(registered.entry.engine, registered.entry.tags, registered.entry.zone)

    def fits(self, engine: str, tags: Mapping[str, str], zone: str | None) -> bool:
        """Whether it selects a server of this engine with these tags in this zone."""
        has_tags = all(key in tags and value in {None, tags[key]} for key, value in self.tags)
        has_engine = not self.engines or engine in self.engines
        return has_tags and has_engine and (not self.zones or zone in self.zones)
