"""Selects registered instances by their tags and engines, for commands over a part of the fleet."""

from dataclasses import dataclass, field

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.inventory.registration import RegisteredInstance


@dataclass(frozen=True, slots=True)
class Selection:
    """The instances with all of these tags, and with one of these engines if there are any. The value of a tag is None for any value."""

    tags: tuple[tuple[str, str | None], ...] = ()
    engines: frozenset[Engine] = field(default_factory=frozenset[Engine])

    def __bool__(self) -> bool:
        """Whether it selects at all."""
        return bool(self.tags or self.engines)

    def __str__(self) -> str:
        """The options that make it."""
        tags = [f"--tag {key if value is None else f'{key}={value}'}" for key, value in self.tags]
        return " ".join([*tags, *(f"--engine {engine}" for engine in sorted(self.engines))])

    def selects(self, registered: RegisteredInstance) -> bool:
        """Whether this instance is one of them."""
        tags = registered.entry.tags
        has_tags = all(key in tags and value in {None, tags[key]} for key, value in self.tags)
        return has_tags and (not self.engines or registered.entry.engine in self.engines)
