"""The databases of an instance in the store: reads the inventory and applies the changes of a listing."""

from collections.abc import Sequence
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.inventory.listing import InventoryChange, InventoryEntry
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as


def lock_instance(cursor: Cursor, instance_id: int) -> None:
    """Keep other writers of the same instance out until the transaction ends."""
    cursor.execute(queries.load("inventory/lock_instance"), {"instance_id": instance_id})


def list_inventory(cursor: Cursor, instance_id: int) -> Sequence[InventoryEntry]:
    """The databases that are known of an instance."""
    cursor.execute(queries.load("inventory/list_inventory"), {"instance_id": instance_id})
    return fetch_as(cursor, InventoryEntry)


def apply_inventory(cursor: Cursor, instance_id: int, change: InventoryChange, day: date) -> None:
    """Apply the changes of a listing to the inventory, with the days on which databases were added, dropped or renamed."""
    instance_day: dict[str, object] = {"instance_id": instance_id, "day": day}
    listed = change.listed
    cursor.execute(
        queries.load("inventory/apply_inventory"),
        instance_day
        | {
            "listed": [database.database_name for database in listed],
            "native_ids": [database.native_id for database in listed],
            "predecessors": [database.predecessor for database in listed],
            "deactivated": [*change.deactivated, *change.left_names],
            "held": list(change.held),
        },
    )
    replaced = [*change.recreated, *change.renamed, *change.left_names]
    if change.deactivated or replaced:
        ended = {"deactivated": list(change.deactivated), "replaced": replaced}
        cursor.execute(queries.load("inventory/end_activity"), instance_day | ended)
    if begun := change.begun:
        names, predecessors = [database.database_name for database in begun], [database.predecessor for database in begun]
        cursor.execute(queries.load("inventory/begin_activity"), instance_day | {"begun": names, "predecessors": predecessors})
