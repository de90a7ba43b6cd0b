"""The fleet for all areas: the registered instances, and those that are active.

`register_instances.py` registers instances, `switch_instances.py` enables and disables them.
"""

from collections.abc import Mapping, Sequence

from whalefall_pipelines.domain.filters import FleetFilter
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.zones import Zones, refuse_other_zones
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.inventory.registration import KnownDatabase, RegisteredInstance
from whalefall_pipelines.inventory.selection import Selection
from whalefall_pipelines.inventory.store.databases import list_inventories
from whalefall_pipelines.inventory.store.instances import (
    count_registered,
    find_registered,
    list_active_zones,
    list_databases,
    listed,
    select_registered,
)
from whalefall_pipelines.store.database import Database

_EVERYTHING = Selection()


def active_zones(database: Database) -> tuple[str | None, ...]:
    """The zones that have active instances, the centre first."""
    with database.transaction() as cursor:
        return list_active_zones(cursor)


def active_instances(
    database: Database, names: Sequence[str] = (), selection: Selection = _EVERYTHING, zones: Zones | None = None
) -> tuple[Instance, ...]:
    """The instances to collect, in the order of their registration: all active ones, or exactly those with these names.

    Of both, only those of these `zones`, if there are any.

    Raises:
        NotFoundError: a name is not registered, or was removed; the message lists every such name. Or nothing active is selected.
        InputError: a named instance is disabled.
        OtherZoneError: a named instance is in none of the zones.
    """
    instances = registered_instances(database, names, selection)
    disabled = [registered.entry.name for registered in instances if not registered.is_active]
    if names and disabled:
        raise InputError(f"Disabled: {listed(disabled)}. `whalefall instances enable` makes an instance active again.")
    if names and zones is not None:
        refuse_other_zones({registered.entry.zone for registered in instances}, zones)
    active = tuple(
        registered.instance for registered in instances if registered.is_active and (zones is None or registered.entry.zone in zones)
    )
    if selection and not active:
        raise NotFoundError(f"No active instance matches {selection}. `whalefall instances list` shows every instance with its tags.")
    return active


def registered_instances(
    database: Database, names: Sequence[str] = (), selection: Selection = _EVERYTHING
) -> tuple[RegisteredInstance, ...]:
    """What is registered and not removed, disabled ones included: all of it or exactly those that are named, as far as it is selected.

    Raises:
        NotFoundError: a name is not registered, or was removed; the sentence has every such name.
    """
    with database.transaction() as cursor:
        return tuple(filter(selection.selects, find_registered(cursor, names)))


def select_instances(
    database: Database, fleet: FleetFilter, *, is_active: bool | None, after_id: int | None, limits: Mapping[str, int]
) -> tuple[RegisteredInstance, ...]:
    """A page of the registered instances that a filter names, in the order of their registration, after the one with this id."""
    with database.transaction() as cursor:
        return select_registered(cursor, fleet, is_active=is_active, after_id=after_id, **limits)


def count_instances(database: Database, fleet: FleetFilter, *, is_active: bool | None) -> int:
    """How many registered instances a filter names."""
    with database.transaction() as cursor:
        return count_registered(cursor, fleet, is_active=is_active)


def registered_instance(database: Database, instance_id: int) -> RegisteredInstance:
    """One registered instance, by its id.

    Raises:
        NotFoundError: it is not registered, or was removed.
    """
    with database.transaction() as cursor:
        chosen = select_registered(cursor, FleetFilter((instance_id,)))
    if not chosen:
        raise NotFoundError(f"There is no instance {instance_id}. `whalefall instances list` shows every instance.")
    return chosen[0]


def split_target(database: Database, target: str) -> tuple[Instance, str | None]:
    """The instance and the rest of `INSTANCE` or `INSTANCE/REST`. Any name may contain slashes: the longest registered one counts.

    Raises:
        NotFoundError: no instance of this name is registered.
    """
    parts = target.split("/")
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    with database.transaction() as cursor:
        registered = select_registered(cursor, FleetFilter(), names=names)
    if not registered:
        raise NotFoundError(f"Not registered: {parts[0]!r}. `whalefall instances list` shows every instance.")
    instance = max((known.instance for known in registered), key=lambda instance: len(instance.name))
    return instance, target[len(instance.name) + 1 :] or None


def has_database(database: Database, instance_id: int, database_name: str) -> bool:
    """Whether a database is or was in the inventory of an instance."""
    with database.transaction() as cursor:
        return any(known.database_name == database_name for known in list_inventories(cursor, [instance_id])[instance_id])


def show_instance(database: Database, name: str) -> tuple[RegisteredInstance, tuple[KnownDatabase, ...]]:
    """One registered instance and its databases, active and biggest first.

    Raises:
        NotFoundError: it is not registered, or was removed.
    """
    with database.transaction() as cursor:
        (registered,) = find_registered(cursor, [name])
        return registered, list_databases(cursor, registered.instance_id)
