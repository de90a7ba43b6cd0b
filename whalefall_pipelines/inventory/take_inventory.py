"""Updates the inventory of a server from a probe, within the transaction that writes its day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from whalefall_pipelines.domain.instances import Instance, ServerIdentity
from whalefall_pipelines.inventory.claim_identities import claim
from whalefall_pipelines.inventory.listing import InventoryChange, compare_inventory
from whalefall_pipelines.inventory.store.databases import apply_inventory, list_inventory, lock_instance
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


def lock_inventory(cursor: Cursor, instance: Instance) -> None:
    """Keep other writers of the same instance out until the transaction ends."""
    lock_instance(cursor, instance.instance_id)


def take_inventory(cursor: Cursor, instance: Instance, listing: Listing, day: date) -> InventoryChange:
    """Write the inventory of an instance under its lock, and return what the listing changed.

    Raises:
        SizesError: another active instance is the same server.
    """
    lock_inventory(cursor, instance)
    known = list_inventory(cursor, instance.instance_id)
    claim(cursor, instance, listing.identity)
    change = compare_inventory(known, listing.listed, day, listing.hidden, is_partial=listing.grant_to_list is not None)
    apply_inventory(cursor, instance.instance_id, change, day)
    mark_connected(cursor, instance.instance_id, listing.server_version, listing.listed_at)
    return change
