"""Verbs on registered instances: enable, disable, remove, and accept that a server was moved or is a replica.

`register_instances.py` registers instances; `identities.py` has the rules by which servers are compared.
"""

from collections.abc import Collection, Mapping, Sequence

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.fleet.addresses import resolve_hosts
from whalefall_pipelines.inventory.fleet import registered_instances
from whalefall_pipelines.inventory.identify_servers import RESOLVE_SECONDS
from whalefall_pipelines.inventory.identities import Answers
from whalefall_pipelines.inventory.identity_conflicts import find_twins
from whalefall_pipelines.inventory.registration import RegisteredInstance
from whalefall_pipelines.inventory.store import instances as store
from whalefall_pipelines.inventory.store.identities import forget_identities, mark_replicas
from whalefall_pipelines.inventory.store.instances import find_registered, lock_fleet, switch_active
from whalefall_pipelines.store.database import Database

Addresses = Mapping[str, frozenset[str]]


def enable(database: Database, names: Sequence[str]) -> tuple[str, ...]:
    """Collect from these instances again; return those that were disabled.

    Raises:
        NotFoundError: a name is not registered, or was removed.
        InputError: one is the same server as another active instance; nothing is changed.
    """
    addresses = _resolve(database)
    with database.transaction() as cursor:
        lock_fleet(cursor)
        find_registered(cursor, names)
        changed = switch_active(cursor, names, is_active=True)
        _refuse_twins(find_registered(cursor, ()), names, addresses)
    return changed


def disable(database: Database, names: Sequence[str]) -> tuple[str, ...]:
    """Stop collecting from these instances, all or none of them; return those that were enabled.

    Raises:
        NotFoundError: a name is not registered, or was removed.
    """
    with database.transaction() as cursor:
        lock_fleet(cursor)
        find_registered(cursor, names)
        return switch_active(cursor, names, is_active=False)


def remove_instances(database: Database, names: Sequence[str], *, confirmed: Sequence[RegisteredInstance] | None = None) -> None:
    """Remove these instances, all or none of them, from the fleet. Their history is kept. `confirmed` is what the user saw.

    Raises:
        NotFoundError: a name is not registered, or was already removed.
        InputError: an instance was changed meanwhile; none was removed.
    """
    with database.transaction() as cursor:
        lock_fleet(cursor)
        registered = find_registered(cursor, names)
        if confirmed is not None and {instance.instance_id: instance.entry for instance in registered} != {
            instance.instance_id: instance.entry for instance in confirmed
        }:
            raise InputError("An instance was changed after it was shown, so none was removed. Run the command again.")
        store.remove_instances(cursor, names)


def accept_moved(database: Database, names: Sequence[str]) -> tuple[RegisteredInstance, ...]:
    """Let the next probe accept whichever server answers; return the previous state. The collected history continues.

    Raises:
        NotFoundError: a name is not registered, or was removed.
    """
    with database.transaction() as cursor:
        lock_fleet(cursor)
        known = find_registered(cursor, names)
        forget_identities(cursor, names)
    return known


def accept_replicas(database: Database, names: Sequence[str], *, is_replica: bool) -> tuple[RegisteredInstance, ...]:
    """Set whether these instances may look like the server of another one; return the previous state.

    Raises:
        NotFoundError: a name is not registered, or was removed.
        InputError: without the mark, an instance is the same server as another active instance; nothing is changed.
    """
    addresses = _resolve(database)
    with database.transaction() as cursor:
        lock_fleet(cursor)
        known = find_registered(cursor, names)
        mark_replicas(cursor, names, is_replica=is_replica)
        _refuse_twins(find_registered(cursor, ()), names, addresses)
    return known


def _resolve(database: Database) -> Addresses:
    return resolve_hosts({registered.entry.host for registered in registered_instances(database)}, seconds=RESOLVE_SECONDS)


def _refuse_twins(registered: Sequence[RegisteredInstance], names: Collection[str], addresses: Addresses) -> None:
    problems = find_twins(registered, names, Answers(addresses=addresses))
    if problems:
        raise InputError("\n  ".join(("Nothing was changed:", *(problem.sentence for problem in problems))))
