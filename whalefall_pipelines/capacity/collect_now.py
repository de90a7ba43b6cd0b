"""Collects one instance at once, without a session and without Dagster, for a person who waits."""

from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.capacity.collect import capacity_collector
from whalefall_pipelines.capacity.write_snapshot import InstanceOutcome
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.fleet.probe import Fleet
from whalefall_pipelines.inventory.fleet import registered_instance
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class CollectedDatabase:
    """A database without a size, with the reason and what to do."""

    database_name: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Collected:
    """What was collected of one server today. `status` is completed, or inventory_only if no database is active."""

    status: str
    message: str
    instance_id: int
    instance_name: str
    stat_date: date
    database_count: int
    total_bytes: int | None
    missing: tuple[CollectedDatabase, ...]
    notices: tuple[str, ...]
    seconds: float


def collect_now(settings: Settings, database: Database, instance_id: int, fleet: Fleet | None = None) -> Collected:
    """Collect today's sizes of one instance.

    Raises:
        NotFoundError: there is no such instance.
        InputError: it is disabled.
        UnreachableError, LoginRejectedError: it cannot be reached or refuses the login.
        SizesError: its sizes failed or are empty.
    """
    registered = registered_instance(database, instance_id)
    if not registered.is_active:
        raise InputError(f"{registered.entry.name} is disabled. `whalefall instances enable` makes an instance active again.")
    servers = server_collection(settings, database, fleet)
    day = today(servers.clock(), database.timezone)
    (outcome,) = capacity_collector(settings, servers).collect_day([registered.instance], day, None)
    if outcome.error is not None:
        raise outcome.error
    return _collected(outcome, day)


def _collected(outcome: InstanceOutcome, day: date) -> Collected:
    measured = counted(outcome.measured, "database was", "databases were")
    status, message = (
        ("inventory_only", "No database is active, so only the inventory was written.")
        if outcome.is_skipped
        else ("completed", f"{measured} measured, {counted(len(outcome.missing), 'is', 'are')} missing.")
    )
    return Collected(
        status,
        message,
        outcome.instance.instance_id,
        outcome.instance.name,
        day,
        outcome.measured,
        outcome.total_bytes,
        tuple(CollectedDatabase(gap.database_name, gap.reason, gap.detail) for gap in outcome.missing),
        outcome.notices,
        round(outcome.seconds, 3),
    )
