"""What the commands of the area ask, here or of a server elsewhere."""

from collections.abc import Sequence
from datetime import date

from whalefall_pipelines.accounts.api_views import AccountView, Observations, account_view
from whalefall_pipelines.accounts.read_accounts import accounts_of, list_accounts, not_observed
from whalefall_pipelines.runtime.source import Question
from whalefall_pipelines.store.database import Database


def _list_accounts(
    database: Database, today: date, *, instance: Sequence[str], tag: str | None, superusers_only: bool, built_in: bool, as_of: date | None
) -> tuple[AccountView, ...]:
    wanted = accounts_of(database, as_of or today, names=instance, superusers_only=superusers_only, with_built_in=built_in, tag=tag)
    return tuple(map(account_view, list_accounts(database, wanted)))


def observations_of(database: Database, *, instance: Sequence[str], as_of: date) -> Observations:
    """Between which observations a day lies, for each server that was not observed on it."""
    return Observations(as_of, not_observed(database, as_of, instance))


ACCOUNTS = Question(_list_accounts, "/accounts")
OBSERVATIONS = Question(observations_of, "/accounts/observations")
