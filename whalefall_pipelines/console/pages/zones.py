"""The question for which zone a page is shown, where there is more than one."""

from collections.abc import Iterable

from whalefall_pipelines.console.blocks import Field, Search
from whalefall_pipelines.domain.zones import name_of


def zone_choice(zones: Iterable[str | None], chosen: str | None) -> list[Field]:
    """A choice of one of these zones, or of all; nothing where there is one zone."""
    names = sorted({name_of(zone) for zone in zones})
    if len(names) < 2:
        return []
    return [Field("zone", "Zone", chosen or "", kind="choice", options=(("", "all"), *((name, name) for name in names)))]


def zone_question(zones: Iterable[str | None], chosen: str | None) -> list[Search]:
    """The choice alone."""
    return [Search("Show", fields)] if (fields := zone_choice(zones, chosen)) else []
