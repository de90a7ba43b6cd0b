"""Factories for tests: registered instances, collectors over fake fleets, and simple queries of the store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from whalefall_pipelines.capacity.collect import Collector, InstanceOutcome
from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, DatabaseFilter, Engine, Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.retries import RetryRule
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.settings.group import Group
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import TIMEZONE

DAY = date(2026, 11, 22)
# 03:00 in Shanghai on DAY.
NIGHT = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)


def register(
    store: Database, *names: str, engine: Engine = Engine.POSTGRESQL, host: str = "127.0.0.1", port: int = 1
) -> tuple[Instance, ...]:
    """Register active instances, each with its own login and without a password."""
    with store.transaction() as cursor:
        for name in names:
            cursor.execute("insert into credentials (name, username) values (%s, 'monitor') returning credential_id", (name,))
            (credential_id,) = cursor.fetchone() or (None,)
            cursor.execute(
                # registered before any day that a test uses
                "insert into instances (name, engine, host, port, credential_id, created_at) values (%s, %s, %s, %s, %s, '2020-01-01')",
                (name, engine, host, port, credential_id),
            )
        cursor.execute("select instance_id, name from instances where name = any(%s) order by instance_id", (list(names),))
        rows = cursor.fetchall()
    return tuple(Instance(instance_id, name, engine, host, port, "monitor") for instance_id, name in rows)


def changed(settings: Settings, group: type[Group], **values: object) -> Settings:
    """These settings with other values in one group, which need not be ones that a user may set."""
    return settings.with_group(settings.of(group).model_copy(update=values))


def query(store: Database, statement: str, *parameters: object) -> list[tuple[object, ...]]:
    """The rows of a statement."""
    with store.transaction() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


@dataclass
class FleetTest:
    """A registered fake fleet and the day on which it is collected. Servers can be changed between collections."""

    store: Database
    home: Path
    servers: dict[str, FakeServer]
    now: datetime = NIGHT
    parallel: int = 8
    deadlines: Deadlines = field(default_factory=lambda: Deadlines(instance_seconds=0.5))
    inventory_only: bool = False
    timezone: ZoneInfo = TIMEZONE
    filters: Mapping[Engine, DatabaseFilter] = field(default_factory=lambda: SYSTEM_DATABASES)

    def __post_init__(self) -> None:
        self.instances = register(self.store, *self.servers)

    def collector(self, clock: Callable[[], datetime] | None = None) -> Collector:
        return Collector(self.collection(clock), self.filters, inventory_only=self.inventory_only)

    def collection(self, clock: Callable[[], datetime] | None = None) -> Collection:
        return Collection(
            database=self.store,
            fleet=FakeFleet(self.servers, self.deadlines),
            secrets=SecretBox(load_settings({"WHALEFALL_HOME": str(self.home)})),
            parallel=self.parallel,
            grace=timedelta(hours=2),
            retry_rule=RetryRule(pause_seconds=0, deadline_seconds=self.deadlines.instance_seconds),
            clock=clock or (lambda: self.now),
        )

    def collect(self, day: date = DAY) -> tuple[UUID, dict[str, InstanceOutcome]]:
        """Collect a day in its own session; return the session's id and the outcome of every instance."""
        plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day)
        with sync_session(self.store, plan, self.instances):
            outcomes = list(self.collector().collect_day(self.instances, day, plan.session_id))
        assert len(outcomes) == len(self.instances)
        return plan.session_id, {outcome.instance.name: outcome for outcome in outcomes}

    def sizes(self, day: date = DAY) -> dict[tuple[str, str], int]:
        """The bytes of every database of a day."""
        rows = query(
            self.store,
            "select i.name, s.database_name, s.total_bytes from database_size_stats as s join instances as i using (instance_id) "
            "where s.stat_date = %s",
            day,
        )
        return {(str(instance), str(database)): int(str(size)) for instance, database, size in rows}

    def gaps(self, day: date = DAY) -> dict[tuple[str, str | None], str]:
        """The open gaps of a day with their reasons."""
        rows = query(
            self.store,
            "select i.name, g.database_name, g.reason from capacity_gaps as g join instances as i using (instance_id) "
            "where g.stat_date = %s and g.closed_by is null",
            day,
        )
        return {(str(instance), None if database is None else str(database)): str(reason) for instance, database, reason in rows}

    def coverage(self, day: date = DAY) -> dict[str, tuple[object, ...]]:
        """Expected, measured, missing and reasons of every instance, from the public view."""
        rows = query(
            self.store,
            "select i.name, c.expected, c.measured, c.missing, c.reasons from capacity_coverage as c "
            "join instances as i using (instance_id) where c.stat_date = %s",
            day,
        )
        return {str(row[0]): row[1:] for row in rows}


def server(databases: Mapping[str, int | None] | None = None, **fault: object) -> FakeServer:
    """A fake server with these databases."""
    return FakeServer(databases if databases is not None else {"app": 1000, "shop": 2000}, **fault)  # type: ignore[arg-type]
