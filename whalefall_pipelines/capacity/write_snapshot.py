"""Writes the day of instances: inventory, sizes, total, gaps and record, those of one instance in one transaction.

`write_failures.py` writes that of instances that could not be probed. `collect.py` does the probing, and decides which instances are
written together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.store.disk import write_shared_parts, write_volumes
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import ClosedRecord, SessionStatus
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, Provenance, SharedPart, Volume, total_of
from whalefall_pipelines.errors import SessionEndedError, SizesError, WhalefallError
from whalefall_pipelines.inventory.listing import InventoryChange
from whalefall_pipelines.inventory.take_inventory import Listing, take_inventories
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.write_together import limit_lock_wait


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The result of one probe: the listing, an outcome for each listed database, what on the disk belongs to no database, and the volumes.

    Nothing in `shared` or `volumes` is unknown.
    """

    listing: Listing
    outcomes: tuple[DatabaseSize | MissingSize, ...]
    shared: tuple[SharedPart, ...] = ()
    volumes: tuple[Volume, ...] = ()
    is_inventory_only: bool = False

    @property
    def sizes(self) -> tuple[DatabaseSize, ...]:
        """The sizes of the databases that could be measured."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, DatabaseSize))


@dataclass(frozen=True, slots=True)
class Probed:
    """An instance that was probed, how long that took, and what there is to write."""

    instance: Instance
    snapshot: Snapshot
    seconds: float


@dataclass(frozen=True, slots=True)
class InstanceOutcome:
    """The outcome of one instance. Sizes are in bytes; `error` is None unless it failed. `renamed` maps new names to old names.

    `noticed` has a message for each measured database with an anomaly; the key "*" is the whole instance.
    """

    instance: Instance
    seconds: float
    total_bytes: int | None = None
    measured: int = 0
    missing: tuple[MissingSize, ...] = ()
    noticed: Mapping[str, str] = field(default_factory=dict[str, str])
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    hidden: int = 0
    held: int = 0
    is_skipped: bool = False
    error: WhalefallError | None = None

    @property
    def notices(self) -> tuple[str, ...]:
        """Messages about renames and anomalies of measured databases."""
        renames = (f"{self.instance.name}: {old!r} is now called {new!r} and keeps its history" for new, old in self.renamed.items())
        return (*renames, *(f"{self.instance.name}/{name}: {notice}" for name, notice in self.noticed.items()))


def write_snapshots(
    database: Database, probed: Sequence[Probed], day: date, session_id: UUID | None, *, is_patient: bool = True
) -> Sequence[InstanceOutcome]:
    """Write the day of several instances, all of it or nothing, and return the outcome of each. `is_patient` waits for locks.

    Raises:
        SizesError: one of them is the same server as another active instance; nothing is written.
        StoreBusyError: another session holds a lock.
    """
    with database.transaction() as cursor:
        if not is_patient:
            limit_lock_wait(cursor)
        changes = take_inventories(cursor, {done.instance: done.snapshot.listing for done in probed}, day)
        outcomes = [_outcome(done, changes[done.instance.instance_id]) for done in probed]
        for instance_id, change in changes.items():
            capacity.move_day(cursor, instance_id, day, {old: new for new, old in change.renamed.items() if old in change.left_names})
        if rows := [row for done in probed for row in _rows(done, day)]:
            capacity.write_sizes(cursor, rows, session_id)
        capacity.write_gaps(cursor, {outcome.instance.instance_id: outcome.missing for outcome in outcomes}, day, session_id)
        shared_bytes = {done.instance.instance_id: total_of(done.snapshot.shared) for done in probed}
        capacity.write_totals(cursor, list(shared_bytes), day, day, session_id, shared_bytes=shared_bytes)
        write_shared_parts(cursor, {done.instance.instance_id: done.snapshot.shared for done in probed}, day)
        write_volumes(cursor, {done.instance.instance_id: done.snapshot.volumes for done in probed}, day)
        if session_id:
            records = [_record(outcome, changes[outcome.instance.instance_id]) for outcome in outcomes]
            close_records(cursor, session_id, records, [done.instance for done in probed])
    return outcomes


def _outcome(probed: Probed, change: InventoryChange) -> InstanceOutcome:
    instance, snapshot = probed.instance, probed.snapshot
    sizes = snapshot.sizes
    kept = () if snapshot.is_inventory_only else (*_held(change), *_unseen(change, snapshot.listing))
    missing = (*(gap for gap in snapshot.outcomes if isinstance(gap, MissingSize)), *kept)
    error = _why_nothing(instance, sizes, missing)
    return InstanceOutcome(
        instance,
        seconds=probed.seconds,
        total_bytes=sum(size.total_bytes for size in sizes) if sizes else None,
        measured=len(sizes),
        missing=missing,
        noticed=_noticed(snapshot.listing, sizes, missing),
        renamed=change.renamed,
        hidden=len(snapshot.listing.hidden),
        held=len(change.held),
        is_skipped=not sizes and error is None,
        error=error,
    )


def _held(change: InventoryChange) -> tuple[MissingSize, ...]:
    if not change.listed:
        return tuple(MissingSize(name, Reason.EMPTY_RESULT, "the server listed no databases") for name in change.held)
    fewer = f"the server listed only {counted(len(change.listed), 'database')}, {len(change.held)} fewer than before"
    detail = f"{fewer}; they are kept until a later day confirms it"
    return tuple(MissingSize(name, Reason.VANISHED, detail) for name in change.held)


def _unseen(change: InventoryChange, listing: Listing) -> tuple[MissingSize, ...]:
    return tuple(MissingSize(name, Reason.NO_PERMISSION, str(listing.grant_to_list)) for name in change.unseen)


def _noticed(listing: Listing, sizes: Sequence[DatabaseSize], missing: Sequence[MissingSize]) -> dict[str, str]:
    noticed = {size.database_name: size.notice for size in sizes if size.notice}
    if listing.grant_to_list and all(gap.detail != listing.grant_to_list for gap in missing):
        noticed["*"] = f"The login may not see every database; run on that server: {listing.grant_to_list}"
    return noticed


def _why_nothing(instance: Instance, sizes: Sequence[DatabaseSize], missing: Sequence[MissingSize]) -> SizesError | None:
    if sizes or not missing:
        return None
    first = missing[0]
    return SizesError(
        f"No database of {instance.name!r} could be measured, {counted(len(missing), 'is', 'are')} missing; "
        f"{first.database_name!r}: {first.detail}",
        reason=first.reason,
    )


def _rows(probed: Probed, day: date) -> Iterator[capacity.SizeRow]:
    for size in probed.snapshot.sizes:
        yield capacity.SizeRow(
            instance_id=probed.instance.instance_id,
            database_name=size.database_name,
            stat_date=day,
            total_bytes=size.total_bytes,
            data_bytes=size.data_bytes,
            log_bytes=size.log_bytes,
            growth_limit_bytes=size.growth_limit_bytes,
            used_bytes=size.used_bytes,
            collected_at=probed.snapshot.listing.listed_at,
            provenance=Provenance.MEASURED,
            method=size.method,
        )


def close_records(cursor: Cursor, session_id: UUID, records: Sequence[ClosedRecord], instances: Sequence[Instance]) -> None:
    """Close the records of these instances, within the transaction of their work.

    Raises:
        SessionEndedError: the session was ended elsewhere.
    """
    if len(sessions.close_records(cursor, session_id, records)) < len(records):
        _refuse_ended(cursor, session_id, ", ".join(repr(instance.name) for instance in instances))


def _record(outcome: InstanceOutcome, change: InventoryChange) -> ClosedRecord:
    return ClosedRecord(
        outcome.instance.instance_id,
        {
            "total_bytes": outcome.total_bytes,
            "hidden": outcome.hidden,
            "held": list(change.held),
            "created": list(change.created),
            "reactivated": list(change.reactivated),
            "deactivated": list(change.deactivated),
            "renamed": dict(change.renamed),
            "recreated": list(change.recreated),
            "notices": [{"database_name": name, "notice": notice} for name, notice in outcome.noticed.items()],
            "missing": [{"database_name": gap.database_name, "reason": gap.reason, "detail": gap.detail} for gap in outcome.missing],
        },
        is_skipped=outcome.is_skipped,
        items_synced=outcome.measured,
        items_created=len(change.created) + len(change.recreated),
        items_updated=len(change.refreshed) + len(change.reactivated) + len(change.renamed),
        items_deleted=len(change.deactivated) + len(change.recreated),
        error_code=outcome.error.code if outcome.error else None,
        error_message=str(outcome.error) if outcome.error else None,
    )


def _refuse_ended(cursor: Cursor, session_id: UUID, names: str) -> None:
    """A closed record of a running session was closed by this same work, in a commit whose acknowledgement was lost."""
    if sessions.status_of(cursor, session_id) is not SessionStatus.RUNNING:
        raise SessionEndedError(f"Session {session_id} has ended in the meantime; the result of {names} was discarded.")
