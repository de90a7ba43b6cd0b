"""Assignments by hand: a person puts an account into a class, with a note and until a day. Every evaluation respects them."""

from datetime import date

from whalefall_pipelines.classification.store import assignments as store
from whalefall_pipelines.classification.store.evaluation import count_assignments, lock
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Cursor, Database


def assign(
    database: Database, instance_name: str, account_name: str, code: str, day: date, *, person: str, note: str, until: date | None = None
) -> None:
    """Put an account into a class from a day on; `until` is the first day on which it no longer holds.

    Raises:
        NotFoundError: there is no such account or class.
        InputError: it is in the class by hand already, or the expiry is not after the day.
    """
    if until is not None and until <= day:
        raise InputError(f"The expiry {until} is not after today, {day}.")
    with database.transaction() as cursor:
        lock(cursor)
        target = _target(cursor, instance_name, account_name, code)
        if not store.open_by_hand(cursor, target, day, assigned_by=person, notes=note, until=until):
            raise InputError(f"{instance_name}/{account_name} was already assigned to {code!r} by hand; `accounts unassign` ends that.")
        count_assignments(cursor, day, [target.instance_id])


def unassign(database: Database, instance_name: str, account_name: str, code: str, day: date) -> None:
    """End an assignment by hand. What rules say of the account stays.

    Raises:
        NotFoundError: there is no such account, class or assignment.
    """
    with database.transaction() as cursor:
        lock(cursor)
        target = _target(cursor, instance_name, account_name, code)
        if not store.close_by_hand(cursor, target, day):
            raise NotFoundError(
                f"{instance_name}/{account_name} was not assigned to {code!r} by hand; `whalefall accounts classes --instance "
                f"{instance_name}` shows its classes and why it has them."
            )
        count_assignments(cursor, day, [target.instance_id])


def _target(cursor: Cursor, instance_name: str, account_name: str, code: str) -> store.Target:
    target = store.find_target(cursor, instance_name, account_name, code)
    if target is None or target.account_id is None:
        raise NotFoundError(f"No account {account_name!r} is known on {instance_name!r}; `whalefall accounts list` shows the known ones.")
    if target.classification_id is None:
        raise NotFoundError(f"There is no class {code!r}; `whalefall rules classes` shows them.")
    return target
