"""Collects one day: visits every instance once, writes its inventory, sizes, total and gaps in one transaction, closes its record.

Only today, or yesterday within the grace period, can be collected; days that are over are `fill_gaps.py`.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo


from whalefall_pipelines.domain.capacity import DatabaseSize, MissingSize, Provenance, Reason, measurable_day
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance, InventoryChange, compare_inventory
from whalefall_pipelines.errors import SessionEndedError, SizesError, StoreUnreachableError, TargetError, WhalefallError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Fleet
from whalefall_pipelines.services.each_instance import each_instance
from whalefall_pipelines.services.read_filters import read_filters
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import capacity, instances, sessions
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.table_partitions import ensure_months

# A second try within the run, for failures that came at once; one that used up its deadline waits for a later run.
ATTEMPTS = 2
QUICK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Listing:
    """What one visit brought home: the names that count, the ones that the filter hides, and an outcome for each that counts."""

    server_version: str
    listed: tuple[str, ...]
    hidden: tuple[str, ...]
    outcomes: tuple[DatabaseSize | MissingSize, ...]
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class InstanceOutcome:
    """What became of one instance. Sizes in bytes; `error` is None unless it failed."""

    instance: Instance
    seconds: float
    total_bytes: int | None = None
    measured: int = 0
    missing: tuple[MissingSize, ...] = ()
    hidden: int = 0
    held: int = 0
    is_skipped: bool = False
    error: WhalefallError | None = None


@dataclass(frozen=True, slots=True)
class Collector:
    """What collecting needs besides the instances: the store, the way to the servers, and the rules of this installation."""

    database: Database
    fleet: Fleet
    secrets: SecretBox
    filters: Mapping[Engine, DatabaseFilter]
    timezone: ZoneInfo
    grace: timedelta
    parallel: int
    inventory_only: bool = False
    pause_seconds: float = 1.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def collect_day(self, targets: Sequence[Instance], day: date, session_id: UUID | None) -> Iterator[InstanceOutcome]:
        """Visit every instance once, and those that failed at once a second time after a pause; yield each as it ends.

        Raises:
            StoreError: the store failed, so that not even failures can be written down.
        """
        ensure_months(self.database, [day])
        again: list[Instance] = []
        for attempt in range(1, ATTEMPTS + 1):
            turn, again = (targets if attempt == 1 else again), []
            is_last = attempt == ATTEMPTS
            for instance, outcome in each_instance(
                turn,
                lambda instance, is_last=is_last: self.collect_instance(instance, day, session_id, is_last=is_last),
                parallel=self.parallel,
                interrupt=self.fleet.shut_all,
            ):
                if isinstance(outcome, Exception):
                    yield self._write_failure(instance, day, session_id, _as_whalefall_error(outcome), seconds=0)
                elif outcome is None:
                    again.append(instance)
                else:
                    yield outcome
            if again:
                time.sleep(self.pause_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret

    def collect_instance(self, instance: Instance, day: date, session_id: UUID | None, *, is_last: bool = True) -> InstanceOutcome | None:
        """Visit one instance and write what came of it; None when it failed at once and deserves another try."""
        started = time.monotonic()
        if session_id and not sessions.start_record(self.database, session_id, instance.instance_id):
            return InstanceOutcome(instance, 0, is_skipped=True)
        try:
            listing = self.visit(instance, day)
        except TargetError as error:
            seconds = time.monotonic() - started
            if error.is_transient and seconds < QUICK_SECONDS and not is_last:
                return None
            return self._write_failure(instance, day, session_id, error, seconds)
        return self._write_visit(instance, day, session_id, listing, started)

    def visit(self, instance: Instance, day: date) -> Listing:
        """Ask one server for its databases and their sizes, and write nothing.

        Raises:
            TargetError: the server cannot be asked, or the day is over.
        """
        if measurable_day([day], self.clock(), self.timezone, self.grace) is None:
            raise SizesError(f"{day} was over before {instance.name!r} was reached.", reason=Reason.NOT_COLLECTED)
        login = self.secrets.reveal(instance.secret, instance.username, instance.name)
        with self.fleet.connect(instance, login) as probe:
            present = probe.list_databases()
            rule = self.filters[instance.engine]
            listed = tuple(name for name in present if not rule.hides(name))
            hidden = tuple(name for name in present if rule.hides(name))
            try:
                outcomes = tuple(probe.measure(listed)) if listed and not self.inventory_only else ()
            except ValueError as error:
                raise SizesError(f"{instance.name!r} gave a size that cannot be: {error}", reason=Reason.SERVER_ERROR) from error
            return Listing(probe.server_version, listed, hidden, outcomes, self.clock())

    def _write_visit(self, instance: Instance, day: date, session_id: UUID | None, listing: Listing, started: float) -> InstanceOutcome:
        sizes = tuple(outcome for outcome in listing.outcomes if isinstance(outcome, DatabaseSize))
        with self.database.transaction() as cursor:
            known = capacity.lock_inventory(cursor, instance.instance_id)
            change = compare_inventory(known, listing.listed, day, listing.hidden)
            held = () if self.inventory_only else _held(change)
            missing = (*(one for one in listing.outcomes if isinstance(one, MissingSize)), *held)
            error = _why_nothing(instance, sizes, missing)
            outcome = InstanceOutcome(
                instance,
                seconds=time.monotonic() - started,
                total_bytes=sum(size.total_bytes for size in sizes) if sizes else None,
                measured=len(sizes),
                missing=missing,
                hidden=len(listing.hidden),
                held=len(change.held),
                is_skipped=not sizes and error is None,
                error=error,
            )
            capacity.apply_inventory(cursor, instance.instance_id, change, day)
            rows = [_row(instance, size, day, listing.collected_at) for size in sizes]
            capacity.write_sizes(cursor, rows, session_id)
            capacity.write_gaps(cursor, instance.instance_id, missing, day, session_id)
            capacity.write_totals(cursor, [instance.instance_id], day, day, session_id)
            instances.mark_connected(cursor, instance.instance_id, listing.server_version, listing.collected_at)
            if session_id:
                _close_record(cursor, session_id, outcome, change)
        return outcome

    def _write_failure(
        self, instance: Instance, day: date, session_id: UUID | None, error: WhalefallError, seconds: float
    ) -> InstanceOutcome:
        reason = error.reason if isinstance(error, TargetError) else Reason.INTERNAL_ERROR
        with self.database.transaction() as cursor:
            capacity.lock_inventory(cursor, instance.instance_id)
            capacity.write_unreached(cursor, instance.instance_id, day, reason=reason, detail=str(error), session_id=session_id)
            capacity.write_totals(cursor, [instance.instance_id], day, day, session_id)
            if session_id:
                sessions.fail_record(
                    cursor, session_id, instance.instance_id, error_code=error.code, error_message=str(error), details={"reason": reason}
                )
        return InstanceOutcome(instance, seconds, error=error)


def server_collector(settings: Settings, database: Database) -> Collector:
    """A collector of the real servers by the rules of this installation."""
    deadlines = Deadlines(settings.connect_timeout_seconds, settings.statement_timeout_seconds, settings.instance_timeout_seconds)
    return Collector(
        database=database,
        fleet=ServerFleet(deadlines),
        secrets=SecretBox(settings),
        filters=read_filters(settings),
        timezone=settings.timezone,
        grace=settings.grace,
        parallel=settings.parallel_instances,
    )


def recompute_totals(database: Database, targets: Sequence[Instance], days: Sequence[date], session_id: UUID) -> None:
    """Write the instance totals of stored days anew from their database rows."""
    with database.transaction() as cursor:
        capacity.write_totals(cursor, [target.instance_id for target in targets], min(days), max(days), session_id)


def _held(change: InventoryChange) -> tuple[MissingSize, ...]:
    if not change.listed:
        return tuple(MissingSize(name, Reason.EMPTY_RESULT, "the server listed no database at all") for name in change.held)
    detail = f"the server listed only {len(change.listed)} databases, {len(change.held)} less than it had: kept until a later day confirms"
    return tuple(MissingSize(name, Reason.VANISHED, detail) for name in change.held)


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
        "missing": [{"database_name": gap.database_name, "reason": gap.reason, "detail": gap.detail} for gap in outcome.missing],
    }
    if outcome.error:
        is_closed = sessions.fail_record(
            cursor, session_id, instance_id, error_code=outcome.error.code, error_message=str(outcome.error), details=details
        )
    else:
        items = {
            "synced": outcome.measured,
            "created": len(change.created),
            "updated": len(change.refreshed) + len(change.reactivated),
            "deleted": len(change.deactivated),
        }
        is_closed = sessions.complete_record(cursor, session_id, instance_id, is_skipped=outcome.is_skipped, items=items, details=details)
    if not is_closed:
        raise SessionEndedError(f"Session {session_id} was ended meanwhile; what {outcome.instance.name!r} gave is not kept.")


def _as_whalefall_error(error: Exception) -> WhalefallError:
    if isinstance(error, StoreUnreachableError):
        raise error
    return error if isinstance(error, WhalefallError) else WhalefallError(f"unexpected {type(error).__name__}: {error}")
