"""The identities of servers in the store: claims an identity, finds its owner, and applies the decisions of users.

`inventory/identities.py` has the rules by which a plan is checked before it is written.
"""

from collections.abc import Iterable, Mapping, Sequence

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance, ServerIdentity
from whalefall_pipelines.store.database import Cursor


def claim_identity(cursor: Cursor, instance: Instance, identity: ServerIdentity) -> str | None:
    """Store a locked identity of a server, unless another active instance already has it; then return the name of that instance.

    Servers with the same identity are distinguished by their start times, so that a replica and its primary are two servers.
    """
    same = find_same_server(cursor, instance, identity)
    if same is None:
        _set(cursor, {instance.name: identity})
    return same


def remember_identities(cursor: Cursor, identities: Mapping[str, ServerIdentity]) -> None:
    """Store the identities of servers by the name of the instance. The caller checks for duplicates."""
    if identities:
        lock_identities(cursor, identities.values())
        _set(cursor, identities)


def find_same_server(cursor: Cursor, instance: Instance, identity: ServerIdentity) -> str | None:
    """The name of another active instance that is the server with this identity, None if there is none."""
    parameters = {
        "instance_id": instance.instance_id,
        "engine": instance.engine,
        "server_identity": identity.name,
        "server_started_at": identity.started_at,
        "is_replica": identity.is_replica,
    }
    cursor.execute(queries.load("inventory/find_same_server"), parameters)
    row = cursor.fetchone()
    return None if row is None else str(row[0])


def forget_identities(cursor: Cursor, names: Sequence[str]) -> None:
    """Remove the identities of these instances. The inventory and the collected history are kept."""
    if names:
        cursor.execute(queries.load("inventory/forget_identities"), {"names": list(names)})


def mark_replicas(cursor: Cursor, names: Sequence[str], *, is_replica: bool) -> None:
    """Set whether these instances may share the identity of another one."""
    cursor.execute(queries.load("inventory/mark_replicas"), {"names": list(names), "is_replica": is_replica})


def lock_identities(cursor: Cursor, identities: Iterable[ServerIdentity]) -> None:
    """Keep others from claiming these identities until the end of the transaction."""
    cursor.execute(queries.load("inventory/lock_identities"), {"server_identities": [identity.name for identity in identities]})


def _set(cursor: Cursor, identities: Mapping[str, ServerIdentity]) -> None:
    parameters = {
        "names": list(identities),
        "server_identities": [identity.name for identity in identities.values()],
        "server_started_at": [identity.started_at for identity in identities.values()],
    }
    cursor.execute(queries.load("inventory/set_identities"), parameters)
