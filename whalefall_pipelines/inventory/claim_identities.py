"""An instance claims the identity of its server. A different server behind a known name, or one server under two names, is refused."""

from collections.abc import Mapping

from whalefall_pipelines.domain.instances import Instance, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.inventory.store.identities import claim_identity, lock_identities
from whalefall_pipelines.store.database import Cursor


def refuse_another_server(instance: Instance, identity: ServerIdentity | None, server_version: str) -> None:
    """Refuse a server that is not the one that this instance had until now.

    An identity that can no longer be read is unknown, but not different. A server of another family is a different server: MariaDB in
    place of MySQL, of which only MySQL has an identity.

    Raises:
        SizesError: it is a different server. Only a person can decide whether the server was moved.
    """
    known = instance.server_identity
    is_other_family = (instance.server_version or server_version).partition(" ")[0] != server_version.partition(" ")[0]
    if known and (known.name != identity.name if identity else is_other_family):
        now = f"{identity.name} answers" if identity else "a server without an identity answers"
        raise SizesError(
            f"{instance.name!r} was {known.name} until now, and {now} at {instance.address}: was it moved, or is it another server? "
            f"Another server needs its own name. If it was moved or rebuilt, run `whalefall instances accept {instance.name} --moved`.",
            reason=Reason.ANOTHER_SERVER,
        )


def claim(cursor: Cursor, identities: Mapping[Instance, ServerIdentity | None]) -> None:
    """Store the identities of servers that are not known yet, within the transaction that writes their day.

    Raises:
        SizesError: another active instance is the same server.
    """
    unknown = {instance: identity for instance, identity in identities.items() if identity and not _is_known(instance, identity)}
    if unknown:
        lock_identities(cursor, unknown.values())
    for instance, identity in unknown.items():
        same = claim_identity(cursor, instance, identity)
        if same is not None:
            raise duplicate_server(instance, identity, same)


def _is_known(instance: Instance, identity: ServerIdentity) -> bool:
    known = instance.server_identity
    return known is not None and (known.name, known.started_at) == (identity.name, identity.started_at)


def duplicate_server(instance: Instance, identity: ServerIdentity, other_name: str) -> SizesError:
    """The error for an instance that is the same server as another one."""
    return SizesError(
        f"{instance.name!r} is the same server as {other_name!r} ({identity.name}), so its databases would be counted twice; remove one of "
        f"the two, or run `whalefall instances accept {instance.name} --replica` if it is another server with the same identity.",
        reason=Reason.DUPLICATE_SERVER,
    )
