"""Writes and reads what fills the disk of a server besides its databases, and its volumes."""

from collections.abc import Mapping, Sequence
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.disk import PartOfDay, VolumeOfDay
from whalefall_pipelines.domain.sizes import SharedPart, Volume
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import fetch_as


def write_shared_parts(cursor: Cursor, shared: Mapping[int, Sequence[SharedPart]], day: date) -> None:
    """Write the parts of a day by the id of their instance, in place of earlier ones of the day; an instance without any keeps those."""
    rows = [(instance_id, part) for instance_id, parts in shared.items() for part in parts]
    if rows:
        columns = {
            "instance_ids": [instance_id for instance_id, _ in rows],
            "parts": [part.part for _, part in rows],
            "totals": [part.total_bytes for _, part in rows],
            "details": [part.detail for _, part in rows],
        }
        cursor.execute(queries.load("capacity/replace_shared_parts"), {"day": day, **columns})


def write_volumes(cursor: Cursor, volumes: Mapping[int, Sequence[Volume]], day: date) -> None:
    """Write the volumes of a day in the same way."""
    rows = [(instance_id, volume) for instance_id, known in volumes.items() for volume in known]
    if rows:
        columns = {
            "instance_ids": [instance_id for instance_id, _ in rows],
            "volumes": [volume.volume for _, volume in rows],
            "totals": [volume.total_bytes for _, volume in rows],
            "frees": [volume.free_bytes for _, volume in rows],
        }
        cursor.execute(queries.load("capacity/replace_volumes"), {"day": day, **columns})


def list_disk(database: Database, instance_id: int | None, first_day: date, last_day: date) -> tuple[PartOfDay, ...]:
    """What fills the disk of one instance or all on each day (inclusive)."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_disk"), {"instance_id": instance_id, "first_day": first_day, "last_day": last_day})
        return fetch_as(cursor, PartOfDay)


def list_volumes(database: Database, instance_id: int | None, first_day: date, last_day: date) -> tuple[VolumeOfDay, ...]:
    """The volumes of one instance or all on each day (inclusive)."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_volumes"), {"instance_id": instance_id, "first_day": first_day, "last_day": last_day})
        return fetch_as(cursor, VolumeOfDay)
