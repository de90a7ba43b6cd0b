"""Zones: networks whose servers only some processes reach. A zone is its name, or None for the centre, which has no name in the store.

People write the centre as `centre`: in settings, options, fleet files and the tags of Dagster's runs.
"""

from collections.abc import Collection, Iterable

from whalefall_pipelines.errors import OtherZoneError

CENTRE = "centre"
ZONE_TAG = "whalefall/zone"
Zones = frozenset[str | None]
ONLY_CENTRE: Zones = frozenset({None})


def zone_of(name: str | None) -> str | None:
    """The zone that people write like this; the centre if they write none."""
    return None if name == CENTRE else name


def name_of(zone: str | None) -> str:
    """How people write this zone."""
    return CENTRE if zone is None else zone


def names_of(zones: Iterable[str | None]) -> str:
    """How people write these zones, in order."""
    return ", ".join(sorted(map(name_of, zones)))


def zones_of_run(tag: str | None, reached: Zones) -> Zones:
    """The zones in which a run collects: that of its tag, or without a tag all that its process reaches.

    Raises:
        OtherZoneError: the process does not reach the zone of the tag.
    """
    if tag is None:
        return reached
    refuse_other_zones([zone_of(tag)], reached)
    return frozenset({zone_of(tag)})


def refuse_other_zones(zones: Collection[str | None], reached: Zones) -> None:
    """Refuse work in zones that this process does not reach, before it connects to anything.

    Raises:
        OtherZoneError: it does not reach one of them.
    """
    if others := set(zones) - reached:
        raise OtherZoneError(
            f"This process reaches the servers of {names_of(reached)}, and the work is for {names_of(others)}, so nothing was connected: "
            "start it on a worker of that zone, or name the zone in WHALEFALL_ZONES if its servers can be reached from here."
        )
