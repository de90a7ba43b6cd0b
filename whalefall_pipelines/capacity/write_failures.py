"""Writes the day of instances that could not be probed: their gaps with the reason, and their records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.write_snapshot import InstanceOutcome, close_records
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import ClosedRecord
from whalefall_pipelines.errors import LoginRejectedError, TargetError, WhalefallError
from whalefall_pipelines.inventory.take_inventory import lock_inventories
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.write_together import limit_lock_wait

# Machines that repeat a rejected login lock accounts.
_UNTIL_CHANGED = " It is retried tomorrow, or as soon as its credential is changed."


@dataclass(frozen=True, slots=True)
class Failed:
    """An instance that could not be probed, why, and how long the probe took."""

    instance: Instance
    error: WhalefallError
    seconds: float

    @property
    def reason(self) -> str:
        """The public reason of its gaps."""
        return self.error.reason if isinstance(self.error, TargetError) else Reason.INTERNAL_ERROR

    @property
    def detail(self) -> str:
        """The sentence beside the reason."""
        return f"{self.error}{_UNTIL_CHANGED}" if isinstance(self.error, LoginRejectedError) else str(self.error)


def write_failures(
    database: Database, failed: Sequence[Failed], day: date, session_id: UUID | None, *, is_patient: bool = True
) -> Sequence[InstanceOutcome]:
    """Write the gaps of instances that could not be probed, with their reasons, all of it or nothing. `is_patient` waits for locks.

    Raises:
        StoreBusyError: another session holds a lock.
    """
    ids = [failure.instance.instance_id for failure in failed]
    with database.transaction() as cursor:
        if not is_patient:
            limit_lock_wait(cursor)
        lock_inventories(cursor, [failure.instance for failure in failed])
        capacity.write_unreached(
            cursor, {failure.instance.instance_id: (failure.reason, failure.detail) for failure in failed}, day, session_id
        )
        capacity.write_totals(cursor, ids, day, day, session_id)
        if session_id:
            records = [
                ClosedRecord(
                    failure.instance.instance_id, {"reason": failure.reason}, error_code=failure.error.code, error_message=failure.detail
                )
                for failure in failed
            ]
            close_records(cursor, session_id, records, [failure.instance for failure in failed])
    return [InstanceOutcome(failure.instance, failure.seconds, error=failure.error) for failure in failed]
