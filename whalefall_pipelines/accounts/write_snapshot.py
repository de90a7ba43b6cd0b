"""Writes the accounts of one instance: who exists, what they are and may do, gaps, observation and record, in one transaction.

Phase two lands with phase one or not at all. `sync.py` does the probing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from whalefall_pipelines.accounts.snapshot import AccountsChange, AccountSnapshot, compare_accounts, digest_of
from whalefall_pipelines.accounts.store import versions
from whalefall_pipelines.accounts.store.versions import Gap, Observation
from whalefall_pipelines.domain.accounts import Scope, UnreadScope
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import SessionStatus
from whalefall_pipelines.errors import SessionEndedError, SizesError, TargetError, WhalefallError
from whalefall_pipelines.inventory.take_inventory import lock_inventories, note_contact
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Cursor, Database


@dataclass(frozen=True, slots=True)
class AccountsOutcome:
    """The outcome of one instance. `error` is None unless it failed; `opened` and `closed` count versions of each kind."""

    instance: Instance
    seconds: float
    accounts: int = 0
    created: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    opened: Mapping[str, int] = field(default_factory=dict[str, int])
    closed: Mapping[str, int] = field(default_factory=dict[str, int])
    unread: tuple[UnreadScope, ...] = ()
    error: WhalefallError | None = None

    @property
    def changed(self) -> int:
        """How many privileges and memberships were granted or revoked."""
        return sum(count.get(kind, 0) for count in (self.opened, self.closed) for kind in ("memberships", "privileges"))


def write_snapshot(
    database: Database, instance: Instance, day: date, session_id: UUID | None, snapshot: AccountSnapshot, *, seconds: float
) -> AccountsOutcome:
    """Write an observation of an instance, all of it or nothing, and return the outcome. An unchanged listing writes one row.

    Raises:
        SizesError: the listing is empty, or a later day was observed already; nothing is written.
    """
    if not snapshot.listing.accounts:
        raise SizesError(
            f"{instance.name!r} listed no accounts, not even the login itself. Nothing was changed.", reason=Reason.EMPTY_RESULT
        )
    digest = digest_of(snapshot)
    with database.transaction() as cursor:
        lock_inventories(cursor, [instance])
        if snapshot.server_version:
            note_contact(cursor, instance, snapshot.server_version, snapshot.read_at)
        last = versions.find_last_observation(cursor, instance.instance_id)
        if last and last.observed_on > day:
            sentence = f"The accounts of {instance.name!r} were read on {last.observed_on}, so {day} can no longer be written."
            raise SizesError(sentence, reason=Reason.NOT_COLLECTED)
        if last and last.facts_digest == digest:
            outcome = AccountsOutcome(instance, seconds, len(snapshot.listing.accounts), unread=snapshot.unread)
        else:
            earlier = last.observed_on if last and last.observed_on < day else None
            outcome = _write_change(cursor, instance, day, snapshot, earlier, seconds=seconds)
        versions.write_observation(cursor, instance.instance_id, day, _observation(snapshot, session_id, None if outcome.kept else digest))
        if session_id:
            _complete_record(cursor, session_id, outcome)
    return outcome


def write_failure(
    database: Database, instance: Instance, day: date, session_id: UUID | None, error: WhalefallError, *, seconds: float
) -> AccountsOutcome:
    """Fail the record of an instance that could not be read. A missing privilege is a gap with its cure; nothing else changes."""
    reason = error.reason if isinstance(error, TargetError) else Reason.INTERNAL_ERROR
    with database.transaction() as cursor:
        lock_inventories(cursor, [instance])
        if reason == Reason.NO_PERMISSION:
            gap = Gap(reason, str(error), scope=Scope.ACCOUNT, cure=str(error))
            versions.write_gaps(cursor, instance.instance_id, day, [gap])
        if session_id and not sessions.fail_record(
            cursor, session_id, instance.instance_id, error_code=error.code, error_message=str(error), details={"reason": reason}
        ):
            _refuse_ended(cursor, session_id, instance)
    return AccountsOutcome(instance, seconds, error=error)


def _write_change(
    cursor: Cursor, instance: Instance, day: date, snapshot: AccountSnapshot, last_day: date | None, *, seconds: float
) -> AccountsOutcome:
    change = compare_accounts(versions.list_known_accounts(cursor, instance.instance_id), snapshot, day)
    versions.write_accounts(
        cursor,
        instance.instance_id,
        day,
        change.accounts,
        ended=change.ended,
        held=change.held,
        renamed=change.renamed,
        last_day=last_day,
    )
    counts = versions.write_facts(cursor, instance.instance_id, day, snapshot.privileges, _gaps(change, snapshot), held=change.held)
    return AccountsOutcome(
        instance,
        seconds,
        accounts=len(change.accounts),
        created=change.created,
        gone=change.gone,
        kept=change.kept,
        opened={kind: opened for kind, (opened, _) in counts.items()},
        closed={kind: closed for kind, (_, closed) in counts.items()},
        unread=snapshot.unread,
    )


def _gaps(change: AccountsChange, snapshot: AccountSnapshot) -> tuple[Gap, ...]:
    detail = (
        f"the server listed only {counted(len(change.accounts), 'account')}, {len(change.held)} fewer than before; these are kept until a "
        "later day"
    )
    held = (Gap(Reason.VANISHED, f"{detail} confirms it", account_id=account_id) for account_id in change.held)
    unread = (Gap(gap.reason, gap.detail, gap.scope, gap.database_name, gap.attribute, gap.cure) for gap in snapshot.unread)
    return (*unread, *held)


def _observation(snapshot: AccountSnapshot, session_id: UUID | None, digest: UUID | None) -> Observation:
    return Observation(
        observed_at=snapshot.read_at,
        method=snapshot.listing.method,
        account_count=len(snapshot.listing.accounts),
        membership_count=len(snapshot.privileges.memberships),
        privilege_count=len(snapshot.privileges.privileges),
        unread_count=len(snapshot.unread),
        facts_digest=digest,
        session_id=session_id,
    )


def _complete_record(cursor: Cursor, session_id: UUID, outcome: AccountsOutcome) -> None:
    details: dict[str, object] = {
        "created": list(outcome.created),
        "gone": list(outcome.gone),
        "held": list(outcome.kept),
        "opened": dict(outcome.opened),
        "closed": dict(outcome.closed),
        "unread": [
            {"scope": gap.scope, "database_name": gap.database_name, "attribute": gap.attribute, "reason": gap.reason, "detail": gap.detail}
            for gap in outcome.unread
        ],
    }
    items = {"synced": outcome.accounts, "created": len(outcome.created), "updated": outcome.changed, "deleted": len(outcome.gone)}
    if not sessions.complete_record(cursor, session_id, outcome.instance.instance_id, is_skipped=False, items=items, details=details):
        _refuse_ended(cursor, session_id, outcome.instance)


def _refuse_ended(cursor: Cursor, session_id: UUID, instance: Instance) -> None:
    """A closed record of a running session was closed by this same work, in a commit whose acknowledgement was lost."""
    if sessions.status_of(cursor, session_id) is not SessionStatus.RUNNING:
        raise SessionEndedError(f"Session {session_id} has ended in the meantime; the result of {instance.name!r} was discarded.")
