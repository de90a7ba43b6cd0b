"""Reads the accounts of one server at once, without a session and without Dagster, for a person who waits."""

from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.fleet.probe import Fleet
from whalefall_pipelines.inventory.fleet import registered_instance
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class AccountsRead:
    """What was read of one server today: accounts, the new, gone and changed ones, and what could not be read with its cure."""

    instance_id: int
    instance_name: str
    day: date
    accounts: int
    created: tuple[str, ...]
    gone: tuple[str, ...]
    changed: int
    unread: tuple[str, ...]
    seconds: float


def read_now(settings: Settings, database: Database, instance_id: int, fleet: Fleet | None = None) -> AccountsRead:
    """Read the accounts of one instance.

    Raises:
        NotFoundError: there is no such instance.
        UnreachableError, LoginRejectedError: it cannot be reached or refuses the login.
        SizesError: the accounts could not be read.
    """
    instance = registered_instance(database, instance_id).instance
    servers = server_collection(settings, database, fleet)
    day = today(servers.clock(), database.timezone)
    (outcome,) = sync_accounts(servers, [instance], day, None)
    if outcome.error is not None:
        raise outcome.error
    unread = tuple(f"{gap.detail}{f' Run: {gap.cure}' if gap.cure else ''}" for gap in outcome.unread)
    return AccountsRead(
        instance_id,
        instance.name,
        day,
        outcome.accounts,
        tuple(outcome.created),
        tuple(outcome.gone),
        outcome.changed,
        unread,
        round(outcome.seconds, 3),
    )
