"""What people ask of classes: which account is in which, on any day."""

from collections.abc import Sequence
from datetime import date

from whalefall_pipelines.classification.model import Member
from whalefall_pipelines.classification.store import reports
from whalefall_pipelines.inventory.fleet import registered_instances
from whalefall_pipelines.store.database import Database


def list_members(
    database: Database, day: date, *, names: Sequence[str] = (), code: str | None = None, account_name: str | None = None
) -> tuple[Member, ...]:
    """The accounts in classes on a day.

    Raises:
        NotFoundError: an instance is not registered.
    """
    if names:
        registered_instances(database, names)
    return reports.list_members(database, day, names=names, code=code, account_name=account_name)
