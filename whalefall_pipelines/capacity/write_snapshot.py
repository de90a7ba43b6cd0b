"""Writes the day of one instance: inventory, sizes, total, gaps and record, in one transaction. `collect.py` does the probing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import SessionStatus
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, Provenance
from whalefall_pipelines.errors import LoginRejectedError, SessionEndedError, SizesError, TargetError, WhalefallError
from whalefall_pipelines.inventory.listing import InventoryChange
from whalefall_pipelines.inventory.take_inventory import Listing, lock_inventory, take_inventory
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Cursor, Database

# Machines that repeat a rejected login lock accounts.
_UNTIL_CHANGED = " It is retried tomorrow, or as soon as its credential is changed."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The result of one probe: the listing, an outcome for each listed database, and the bytes on disk that belong to no database.

    `shared_bytes` is None if unknown.
    """

    listing: Listing
    outcomes: tuple[DatabaseSize | MissingSize, ...]
    shared_bytes: int | None = None
    is_inventory_only: bool = False


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
        renames = (f"{self.instance.name}: {old!r} is called {new!r} now, and keeps its history" for new, old in self.renamed.items())
        return (*renames, *(f"{self.instance.name}/{name}: {notice}" for name, notice in self.noticed.items()))


def write_snapshot(
    database: Database, instance: Instance, day: date, session_id: UUID | None, snapshot: Snapshot, *, seconds: float
) -> InstanceOutcome:
    """Write the day of an instance, all of it or nothing, and return the outcome.

    Raises:
        SizesError: another active instance is the same server; nothing is written.
    """
    sizes = tuple(outcome for outcome in snapshot.outcomes if isinstance(outcome, DatabaseSize))
    with database.transaction() as cursor:
        change = take_inventory(cursor, instance, snapshot.listing, day)
        outcome = _outcome(instance, snapshot, sizes, change, seconds)
        capacity.move_day(cursor, instance.instance_id, day, {old: new for new, old in change.renamed.items() if old in change.left_names})
        if sizes:
            rows = [_row(instance, size, day, snapshot.listing.listed_at) for size in sizes]
            capacity.write_sizes(cursor, rows, session_id)
        capacity.write_gaps(cursor, instance.instance_id, outcome.missing, day, session_id)
        capacity.write_totals(cursor, [instance.instance_id], day, day, session_id, shared_bytes=snapshot.shared_bytes)
        if session_id:
            _close_record(cursor, session_id, outcome, change)
    return outcome


def write_failure(
    database: Database, instance: Instance, day: date, session_id: UUID | None, error: WhalefallError, *, seconds: float
) -> InstanceOutcome:
    """Write the gaps of an instance that could not be probed, with the reason."""
    reason = error.reason if isinstance(error, TargetError) else Reason.INTERNAL_ERROR
    detail = f"{error}{_UNTIL_CHANGED}" if isinstance(error, LoginRejectedError) else str(error)
    with database.transaction() as cursor:
        lock_inventory(cursor, instance)
        capacity.write_unreached(cursor, instance.instance_id, day, reason=reason, detail=detail, session_id=session_id)
        capacity.write_totals(cursor, [instance.instance_id], day, day, session_id)
        if session_id and not sessions.fail_record(
            cursor, session_id, instance.instance_id, error_code=error.code, error_message=detail, details={"reason": reason}
        ):
            _refuse_ended(cursor, session_id, instance)
    return InstanceOutcome(instance, seconds, error=error)


def _outcome(
    instance: Instance, snapshot: Snapshot, sizes: Sequence[DatabaseSize], change: InventoryChange, seconds: float
) -> InstanceOutcome:
    kept = () if snapshot.is_inventory_only else (*_held(change), *_unseen(change, snapshot.listing))
    missing = (*(gap for gap in snapshot.outcomes if isinstance(gap, MissingSize)), *kept)
    error = _why_nothing(instance, sizes, missing)
    return InstanceOutcome(
        instance,
        seconds=seconds,
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
        return tuple(MissingSize(name, Reason.EMPTY_RESULT, "the server listed no database") for name in change.held)
    fewer = f"the server listed only {len(change.listed)} databases, {len(change.held)} fewer than before"
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
        f"None of the {len(missing)} databases of {instance.name!r} could be measured; {first.database_name!r}: {first.detail}",
        reason=first.reason,
    )


def _row(instance: Instance, size: DatabaseSize, day: date, collected_at: datetime) -> capacity.SizeRow:
    return capacity.SizeRow(
        instance_id=instance.instance_id,
        database_name=size.database_name,
        stat_date=day,
        total_bytes=size.total_bytes,
        data_bytes=size.data_bytes,
        log_bytes=size.log_bytes,
        growth_limit_bytes=size.growth_limit_bytes,
        used_bytes=size.used_bytes,
        collected_at=collected_at,
        provenance=Provenance.MEASURED,
        method=size.method,
    )


def _close_record(cursor: Cursor, session_id: UUID, outcome: InstanceOutcome, change: InventoryChange) -> None:
    instance_id = outcome.instance.instance_id
    details: dict[str, object] = {
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
    }
    if outcome.error:
        is_closed = sessions.fail_record(
            cursor, session_id, instance_id, error_code=outcome.error.code, error_message=str(outcome.error), details=details
        )
    else:
        items = {
            "synced": outcome.measured,
            "created": len(change.created) + len(change.recreated),
            "updated": len(change.refreshed) + len(change.reactivated) + len(change.renamed),
            "deleted": len(change.deactivated) + len(change.recreated),
        }
        is_closed = sessions.complete_record(cursor, session_id, instance_id, is_skipped=outcome.is_skipped, items=items, details=details)
    if not is_closed:
        _refuse_ended(cursor, session_id, outcome.instance)


def _refuse_ended(cursor: Cursor, session_id: UUID, instance: Instance) -> None:
    """A closed record of a running session was closed by this same work, in a commit whose acknowledgement was lost."""
    if sessions.status_of(cursor, session_id) is not SessionStatus.RUNNING:
        raise SessionEndedError(f"Session {session_id} was ended meanwhile; the result of {instance.name!r} was discarded.")
