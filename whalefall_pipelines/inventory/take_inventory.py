"""Updates the inventories of servers from probes, within the transaction that writes their day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from whalefall_pipelines.domain.instances import Instance, ServerIdentity
from whalefall_pipelines.inventory.claim_identities import claim
from whalefall_pipelines.inventory.listing import InventoryChange, compare_inventory
from whalefall_pipelines.inventory.store.databases import apply_inventories, list_inventories, lock_instances
from whalefall_pipelines.inventory.store.instances import mark_connected
from whalefall_pipelines.store.database import Cursor


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server reports about itself and its databases: the listed ones with the server's own identifiers, and the names that the
    filter excludes. If `grant_to_list` is set, there may be more databases, which that GRANT would make visible.
    """

    server_version: str
    identity: ServerIdentity | None
    listed: Mapping[str, str | None]
    hidden: Sequence[str]
    listed_at: datetime
    grant_to_list: str | None = None


def lock_inventories(cursor: Cursor, instances: Iterable[Instance]) -> None:
    """Keep other writers of the same instances out until the transaction ends."""
    lock_instances(cursor, [instance.instance_id for instance in instances])


def note_contact(cursor: Cursor, instance: Instance, server_version: str, reached_at: datetime) -> None:
    """Write that a server was reached, and its version, where no inventory is taken."""
    mark_connected(cursor, {instance.instance_id: (server_version, reached_at)})


def take_inventories(cursor: Cursor, listings: Mapping[Instance, Listing], day: date) -> Mapping[int, InventoryChange]:
    """Write the inventories of instances under their locks, and return what each listing changed, by instance id.

    Raises:
        SizesError: another active instance is the same server as one of these.
    """
    lock_inventories(cursor, listings)
    known = list_inventories(cursor, [instance.instance_id for instance in listings])
    claim(cursor, {instance: listing.identity for instance, listing in listings.items()})
    changes = {
        instance.instance_id: compare_inventory(
            known.get(instance.instance_id, ()), listing.listed, day, listing.hidden, is_partial=listing.grant_to_list is not None
        )
        for instance, listing in listings.items()
    }
    apply_inventories(cursor, changes, day)
    mark_connected(cursor, {instance.instance_id: (listing.server_version, listing.listed_at) for instance, listing in listings.items()})
    return changes
