"""What people ask of classes: which account is in which, on any day."""

from collections.abc import Mapping, Sequence
from datetime import date

from whalefall_pipelines.classification.model import Member, MemberFilter
from whalefall_pipelines.classification.store import reports
from whalefall_pipelines.inventory.fleet import registered_instances
from whalefall_pipelines.store.database import Database

_BEGINNING = {"after_account": None, "after_class": None, "after_rule": None}


def members_of(
    database: Database, day: date, *, names: Sequence[str] = (), code: str | None = None, account_name: str | None = None
) -> MemberFilter:
    """The accounts in classes on a day, of these instances, of a class, and of a name.

    Raises:
        NotFoundError: an instance is not registered.
    """
    if names:
        registered_instances(database, names)
    return MemberFilter(day, names, code, account_name)


def list_members(database: Database, wanted: MemberFilter, most: int | None = None) -> tuple[Member, ...]:
    """These accounts, or the `most` that were seen first, by instance and name."""
    members = page_members(database, wanted, _BEGINNING, {"skipped": 0, "most": most})
    return tuple(sorted(members, key=lambda member: (member.instance_name, member.account_name, member.axis, member.risk_level)))


def page_members(
    database: Database, wanted: MemberFilter, after: Mapping[str, int | None], limits: Mapping[str, int | None]
) -> tuple[Member, ...]:
    """A page of these accounts in the order in which they were first seen.

    `after` has after_account, after_class and after_rule, `limits` skipped and most.
    """
    return reports.list_members(database, wanted, after, limits)


def count_members(database: Database, wanted: MemberFilter) -> int:
    """How many rows that list has."""
    return reports.count_members(database, wanted)


def count_by_class(database: Database, day: date) -> Mapping[str, int]:
    """How many accounts were in each class that had any on a day."""
    return reports.count_by_class(database, day)


def count_members_by_day(database: Database, code: str, first_day: date, last_day: date) -> Mapping[date, int]:
    """How many accounts were in a class on each of these days (inclusive) on which accounts were classified."""
    return reports.count_members_by_day(database, code, first_day, last_day)
