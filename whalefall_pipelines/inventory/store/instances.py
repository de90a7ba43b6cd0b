"""The registered fleet in the store: reading it, writing a plan, its active and removed states, and what a visit learned.

What may be registered is `inventory/fleet_entries.py`; opening a secret is `credentials.py`; the inventory's sizes are `capacity.py`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance, ServerIdentity
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.inventory.registration import Action, CredentialEntry, InstanceEntry, KnownDatabase, Plan, RegisteredInstance
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import as_model, fetch_as, fetch_rows, take


def active_instances(database: Database, names: Sequence[str] = ()) -> tuple[Instance, ...]:
    """The instances to visit, in the order of their registration: all active ones, or exactly those that are named.

    Raises:
        NotFoundError: a name is not registered, or was removed; the sentence has every such name.
        InputError: a named instance is disabled.
    """
    found = registered_instances(database, names)
    disabled = [one.entry.name for one in found if not one.is_active]
    if names and disabled:
        raise InputError(f"Disabled: {_listed(disabled)}. `whalefall instances enable` makes an instance active again.")
    return tuple(one.instance for one in found if one.is_active)


def registered_instances(database: Database, names: Sequence[str] = ()) -> tuple[RegisteredInstance, ...]:
    """What is registered and not removed: all of it, or exactly those that are named, disabled ones included.

    Raises:
        NotFoundError: a name is not registered, or was removed; the sentence has every such name.
    """
    with database.transaction() as cursor:
        return find_registered(cursor, names)


def find_registered(cursor: Cursor, names: Sequence[str]) -> tuple[RegisteredInstance, ...]:
    """The same as `registered_instances`, within a transaction."""
    found = tuple(one for one in _list(cursor, list(names) or None) if one.deleted_at is None)
    unknown = sorted(set(names) - {one.entry.name for one in found})
    if unknown:
        raise NotFoundError(f"Not registered: {_listed(unknown)}. `whalefall instances list` shows every instance.")
    return found


def known_databases(database: Database, instance_id: int) -> tuple[KnownDatabase, ...]:
    """The inventory of one instance, active and biggest first."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("instances/list_databases"), {"instance_id": instance_id})
        return fetch_as(cursor, KnownDatabase)


def set_active(database: Database, names: Sequence[str], *, is_active: bool) -> tuple[str, ...]:
    """Enable or disable these instances, all or none of them, and return those that were not so already.

    Raises:
        NotFoundError: a name is not registered, or was removed.
    """
    with database.transaction() as cursor:
        lock_fleet(cursor)
        find_registered(cursor, names)
        return switch_active(cursor, names, is_active=is_active)


def switch_active(cursor: Cursor, names: Sequence[str], *, is_active: bool) -> tuple[str, ...]:
    """The same within a transaction that has the lock of the fleet."""
    cursor.execute(queries.load("instances/set_instances_active"), {"names": list(names), "is_active": is_active})
    changed = {name for (name,) in cursor.fetchall()}
    return tuple(name for name in dict.fromkeys(names) if name in changed)


def remove(database: Database, names: Sequence[str], *, confirmed: Sequence[RegisteredInstance] | None = None) -> None:
    """Take these instances, all or none of them, out of the fleet; their history stays. `confirmed` is how a person saw them.

    Raises:
        NotFoundError: a name is not registered, or was removed already.
        InputError: an instance was changed meanwhile; none was removed.
    """
    with database.transaction() as cursor:
        lock_fleet(cursor)
        registered = find_registered(cursor, names)
        if confirmed is not None and {one.instance_id: one.entry for one in registered} != {
            one.instance_id: one.entry for one in confirmed
        }:
            raise InputError("An instance was changed after it was shown, so none was removed: look at it again.")
        cursor.execute(queries.load("instances/remove_instances"), {"names": list(names)})


def mark_connected(cursor: Cursor, instance_id: int, server_version: str, connected_at: datetime) -> None:
    """Remember when an instance was reached and what version it is, within the transaction of its visit."""
    mark_all_connected(cursor, {instance_id: server_version}, connected_at)


def mark_all_connected(cursor: Cursor, server_versions: Mapping[int, str], connected_at: datetime) -> None:
    """The same for many instances, versions by instance id, by one statement."""
    cursor.execute(
        queries.load("instances/mark_connected"),
        {"instance_ids": list(server_versions), "server_versions": list(server_versions.values()), "connected_at": connected_at},
    )


def lock_fleet(cursor: Cursor) -> None:
    """Wait until no other program changes the registered fleet; the lock ends with the transaction."""
    cursor.execute(queries.load("instances/lock_fleet"))


def read_fleet(cursor: Cursor) -> tuple[tuple[CredentialEntry, ...], tuple[RegisteredInstance, ...]]:
    """Every stored login, and every instance that was ever registered, removed ones included."""
    cursor.execute(queries.load("instances/list_credentials"))
    credentials = fetch_as(cursor, CredentialEntry)
    return credentials, _list(cursor, None)


def write_plan(cursor: Cursor, plan: Plan) -> None:
    """Write what a plan adds, changes and restores, by one statement for the logins and one for the instances."""
    logins = [one.entry for one in plan.credentials if one.action is not Action.UNCHANGED]
    entries = [one.entry for one in plan.instances if one.action is not Action.UNCHANGED]
    if logins:
        rows = [{"name": login.name, "username": login.username, "secret": login.secret} for login in logins]
        cursor.execute(queries.load("instances/upsert_credentials"), {"credentials": json.dumps(rows)})
    if entries:
        cursor.execute(
            queries.load("instances/upsert_instances"), {"instances": json.dumps([_columns(*one) for one in enumerate(entries)])}
        )


def replace_secrets(cursor: Cursor, secrets: Mapping[str, tuple[str, str]]) -> int:
    """Put new ciphertexts in the place of old ones, as pairs by the name of the login; return how many there were."""
    rows = [{"name": name, "old_secret": old, "secret": new} for name, (old, new) in secrets.items()]
    cursor.execute(queries.load("instances/replace_secrets"), {"credentials": json.dumps(rows)})
    return len(cursor.fetchall())


def _columns(position: int, entry: InstanceEntry) -> dict[str, object]:
    return {
        "position": position,
        "name": entry.name,
        "engine": entry.engine,
        "host": entry.host,
        "port": entry.port,
        "default_database": entry.database,
        "credential_name": entry.credential_name,
        "sslmode": entry.sslmode,
        "sslrootcert": entry.sslrootcert,
        "tags": dict(entry.tags),
        "capacity_limit_bytes": entry.capacity_limit_bytes,
        "is_replica": entry.is_replica,
    }


def _list(cursor: Cursor, names: list[str] | None) -> tuple[RegisteredInstance, ...]:
    cursor.execute(queries.load("instances/list_instances"), {"names": names})
    return tuple(map(_registered, fetch_rows(cursor)))


def _registered(row: dict[str, Any]) -> RegisteredInstance:
    """One row of list_instances: the fields of three dataclasses."""
    entry = take(row, InstanceEntry)
    login = CredentialEntry(entry.credential_name, row.pop("username"), row.pop("secret"))
    name, started_at = row.pop("server_identity"), row.pop("server_started_at")
    identity = ServerIdentity(name, started_at=started_at) if name else None
    return as_model(row, RegisteredInstance, entry=entry, login=login, server_identity=identity)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
