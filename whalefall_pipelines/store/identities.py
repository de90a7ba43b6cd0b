"""Which servers the instances are: claiming an identity, finding who has it already, and what a person says about it.

The rules by which a plan is judged before it is written are `domain/identities.py`.
"""

from collections.abc import Sequence

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance, ServerIdentity
from whalefall_pipelines.store.database import Cursor


def claim_identity(cursor: Cursor, instance: Instance, identity: ServerIdentity) -> str | None:
    """Remember what a server calls itself, unless an active instance has that identity already, whose name is returned.

    Two servers that were both started anew since are told apart by that, so that a replica and its primary are two. The lock of an
    identity keeps two visits from claiming it at once; it ends with the transaction.
    """
    cursor.execute(queries.load("instances/lock_identity"), {"server_identity": identity.name})
    same = find_same_server(cursor, instance, identity)
    if same is None:
        cursor.execute(queries.load("instances/set_identity"), _parameters(instance, identity))
    return same


def find_same_server(cursor: Cursor, instance: Instance, identity: ServerIdentity) -> str | None:
    """The name of another active instance that is the server with this identity, None if there is none."""
    cursor.execute(queries.load("instances/find_same_server"), _parameters(instance, identity))
    found = cursor.fetchone()
    return None if found is None else str(found[0])


def forget_identities(cursor: Cursor, names: Sequence[str]) -> None:
    """Forget which servers these instances were; the inventory and everything that was collected stays."""
    cursor.execute(queries.load("instances/forget_identities"), {"names": list(names)})


def mark_replicas(cursor: Cursor, names: Sequence[str], *, is_replica: bool) -> None:
    """Say of these instances whether they may have the identity of another one."""
    cursor.execute(queries.load("instances/mark_replicas"), {"names": list(names), "is_replica": is_replica})


def _parameters(instance: Instance, identity: ServerIdentity) -> dict[str, object]:
    return {
        "instance_id": instance.instance_id,
        "engine": instance.engine,
        "server_identity": identity.name,
        "server_started_at": identity.started_at,
        "is_replica": identity.is_replica,
    }
