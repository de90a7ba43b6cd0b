"""The databases of instances in the store: reads inventories and applies the changes of listings, of several instances at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.inventory.listing import InventoryChange, InventoryEntry
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_rows


def lock_instances(cursor: Cursor, instance_ids: Sequence[int]) -> None:
    """Keep other writers of the same instances out until the transaction ends."""
    cursor.execute(queries.load("inventory/lock_instances"), {"instance_ids": list(instance_ids)})


def list_inventories(cursor: Cursor, instance_ids: Sequence[int]) -> Mapping[int, Sequence[InventoryEntry]]:
    """The databases that are known of each of these instances."""
    cursor.execute(queries.load("inventory/list_inventory"), {"instance_ids": list(instance_ids)})
    entries: defaultdict[int, list[InventoryEntry]] = defaultdict(list)
    for row in fetch_rows(cursor):
        entries[row.pop("instance_id")].append(InventoryEntry(**row))
    return entries


def apply_inventories(cursor: Cursor, changes: Mapping[int, InventoryChange], day: date) -> None:
    """Apply the changes of listings, by instance id, with the days on which databases were added, dropped or renamed."""
    listed = [(instance_id, database) for instance_id, change in changes.items() for database in change.listed]
    cursor.execute(
        queries.load("inventory/refresh_inventory"),
        {
            "day": day,
            "instance_ids": [instance_id for instance_id, _ in listed],
            "listed": [database.database_name for _, database in listed],
            "native_ids": [database.native_id for _, database in listed],
            "predecessors": [database.predecessor for _, database in listed],
        },
    )
    for instance_id, change in changes.items():  # most listings have nothing more
        _apply_departures(cursor, change, {"instance_id": instance_id, "day": day})


def _apply_departures(cursor: Cursor, change: InventoryChange, instance_day: Mapping[str, object]) -> None:
    left = [*change.deactivated, *change.left_names]
    if left or change.held:
        cursor.execute(queries.load("inventory/leave_inventory"), {**instance_day, "deactivated": left, "held": list(change.held)})
    replaced = [*change.recreated, *change.renamed, *change.left_names]
    if change.deactivated or replaced:
        ended = {"deactivated": list(change.deactivated), "replaced": replaced}
        cursor.execute(queries.load("inventory/end_activity"), {**instance_day, **ended})
    if begun := change.begun:
        names, predecessors = [database.database_name for database in begun], [database.predecessor for database in begun]
        cursor.execute(queries.load("inventory/begin_activity"), {**instance_day, "begun": names, "predecessors": predecessors})
