"""What the commands of the area ask, here or of a server elsewhere."""

from collections.abc import Sequence
from datetime import date

from whalefall_pipelines.accounts.api_views import AccountView, account_view
from whalefall_pipelines.accounts.read_accounts import list_accounts
from whalefall_pipelines.runtime.source import Question
from whalefall_pipelines.store.database import Database


def _list_accounts(
    database: Database, today: date, *, instance: Sequence[str], tag: str | None, superusers_only: bool, built_in: bool, as_of: date | None
) -> tuple[AccountView, ...]:
    rows = list_accounts(database, as_of or today, names=instance, superusers_only=superusers_only, tag=tag)
    return tuple(account_view(row) for row in rows if built_in or not row.is_built_in)


ACCOUNTS = Question(_list_accounts, "/accounts")
