"""The registered fleet in the store: reads it, writes a plan, switches instances, and stores the version and the time of a probe.

`inventory/fleet_entries.py` validates entries; `store/credentials.py` decrypts secrets.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.domain.filters import FleetFilter
from whalefall_pipelines.domain.instances import ServerIdentity
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.inventory.registration import Action, CredentialEntry, InstanceEntry, KnownDatabase, Plan, RegisteredInstance
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import as_model, fetch_as, fetch_rows, take


def find_registered(cursor: Cursor, names: Sequence[str]) -> tuple[RegisteredInstance, ...]:
    """What is registered and not removed: all of it, or exactly those that are named, disabled ones included.

    Raises:
        NotFoundError: a name is not registered, or was removed; the sentence has every such name.
    """
    instances = _list(cursor, names=list(names) or None, with_removed=False)
    unknown = sorted(set(names) - {registered.entry.name for registered in instances})
    if unknown:
        raise NotFoundError(f"Not registered: {listed(unknown)}. `whalefall instances list` shows every instance.")
    return instances


def select_registered(cursor: Cursor, fleet: FleetFilter, **wanted: object) -> tuple[RegisteredInstance, ...]:
    """What is registered and not removed, as far as a filter and further parameters of the statement name it."""
    return _list(cursor, with_removed=False, **fleet.parameters, **wanted)


def count_registered(cursor: Cursor, fleet: FleetFilter, *, is_active: bool | None) -> int:
    """How many instances a filter names, disabled ones included, or only those that are enabled or disabled."""
    cursor.execute(queries.load("inventory/count_instances"), {**fleet.parameters, "is_active": is_active})
    ((count,),) = cursor.fetchall()
    return count


def list_active_zones(cursor: Cursor) -> tuple[str | None, ...]:
    """The zones that have active instances, the centre first."""
    cursor.execute(queries.load("inventory/list_active_zones"))
    return tuple(zone for (zone,) in cursor.fetchall())


def switch_active(cursor: Cursor, names: Sequence[str], *, is_active: bool) -> tuple[str, ...]:
    """Enable or disable these instances, under the lock of the fleet, and return those that changed."""
    cursor.execute(queries.load("inventory/set_instances_active"), {"names": list(names), "is_active": is_active})
    changed = {name for (name,) in cursor.fetchall()}
    return tuple(name for name in dict.fromkeys(names) if name in changed)


def mark_connected(cursor: Cursor, connected: Mapping[int, tuple[str, datetime]]) -> None:
    """Store the version of servers and when they were reached, by instance id."""
    cursor.execute(
        queries.load("inventory/mark_connected"),
        {
            "instance_ids": list(connected),
            "server_versions": [version for version, _ in connected.values()],
            "connected_at": [instant for _, instant in connected.values()],
        },
    )


def lock_fleet(cursor: Cursor) -> None:
    """Lock the registered fleet against other writers until the transaction ends."""
    cursor.execute(queries.load("inventory/lock_fleet"))


def read_fleet(cursor: Cursor) -> tuple[tuple[CredentialEntry, ...], tuple[RegisteredInstance, ...]]:
    """Every stored login, and every instance that was ever registered, removed ones included."""
    cursor.execute(queries.load("inventory/list_credentials"))
    credentials = fetch_as(cursor, CredentialEntry)
    return credentials, _list(cursor)


def write_plan(cursor: Cursor, plan: Plan) -> None:
    """Write what a plan adds, changes and restores, by one statement for the logins, one for new zones and one for the instances."""
    logins = [planned.entry for planned in plan.credentials if planned.action is not Action.UNCHANGED]
    entries = [planned.entry for planned in plan.instances if planned.action is not Action.UNCHANGED]
    if logins:
        rows = [{"name": login.name, "username": login.username, "secret": login.secret} for login in logins]
        cursor.execute(queries.load("inventory/upsert_credentials"), {"credentials": json.dumps(rows)})
    if entries:
        cursor.execute(queries.load("inventory/add_zones"), {"zones": sorted({entry.zone for entry in entries if entry.zone})})
        cursor.execute(
            queries.load("inventory/upsert_instances"), {"instances": json.dumps([_columns(*numbered) for numbered in enumerate(entries)])}
        )


def replace_secrets(cursor: Cursor, secrets: Mapping[str, tuple[str, str]]) -> int:
    """Replace ciphertexts, given as (old, new) pairs by the name of the login, and return how many were replaced."""
    rows = [{"name": name, "old_secret": old, "secret": new} for name, (old, new) in secrets.items()]
    cursor.execute(queries.load("inventory/replace_secrets"), {"credentials": json.dumps(rows)})
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
        "zone": entry.zone,
    }


_ALL: Mapping[str, object] = {
    **FleetFilter().parameters,
    "names": None,
    "with_removed": True,
    "is_active": None,
    "after_id": None,
    "skipped": 0,
    "most": None,
}


def _list(cursor: Cursor, **wanted: object) -> tuple[RegisteredInstance, ...]:
    cursor.execute(queries.load("inventory/list_instances"), {**_ALL, **wanted})
    return tuple(map(_registered, fetch_rows(cursor)))


def _registered(row: dict[str, Any]) -> RegisteredInstance:
    """One row of list_instances: the fields of three dataclasses."""
    entry = take(row, InstanceEntry)
    login = CredentialEntry(entry.credential_name, row.pop("username"), row.pop("secret"))
    name, started_at = row.pop("server_identity"), row.pop("server_started_at")
    identity = ServerIdentity(name, started_at=started_at) if name else None
    return as_model(row, RegisteredInstance, entry=entry, login=login, server_identity=identity)


def listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def list_databases(cursor: Cursor, instance_id: int) -> tuple[KnownDatabase, ...]:
    """The inventory of one instance, active and biggest first."""
    cursor.execute(queries.load("inventory/list_databases"), {"instance_id": instance_id})
    return fetch_as(cursor, KnownDatabase)


def rename_instance(cursor: Cursor, old_name: str, new_name: str) -> None:
    """Rename an instance and the login of its own, under the lock of the fleet."""
    names = {"old_name": old_name, "new_name": new_name}
    cursor.execute(queries.load("inventory/rename_instance"), names)
    cursor.execute(queries.load("inventory/rename_own_credential"), names)


def remove_instances(cursor: Cursor, names: Sequence[str]) -> None:
    """Remove these instances from the fleet, under its lock. Their history is kept."""
    cursor.execute(queries.load("inventory/remove_instances"), {"names": list(names)})
