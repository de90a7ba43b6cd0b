"""Reads the tables of databases on one server and stores them. `ask.py` reads what is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableSizes
from whalefall_pipelines.errors import SizesError, TargetError
from whalefall_pipelines.fleet.probe import Fleet
from whalefall_pipelines.fleet.tables import TABLES, TablesProbe
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.inventory.fleet import registered_instance
from whalefall_pipelines.sessions.collection import Collection, server_collection
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.tables.model import Reading
from whalefall_pipelines.tables.settings import TablesSettings
from whalefall_pipelines.tables.store import expect_databases, write_tables

_TABLE_NAMES = ("table_size_observations", "table_size_stats")


@dataclass(frozen=True, slots=True)
class DatabaseOutcome:
    """The outcome of one database. `missing_tables` have no size; `reason` and `detail` are None if its tables were read."""

    database_name: str
    total_bytes: int | None = None
    missing_tables: int = 0
    reason: Reason | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceOutcome:
    """The outcome of one server; `error` is None unless none of its databases could be asked."""

    instance: Instance
    databases: Sequence[DatabaseOutcome]
    error: TargetError | None = None


@dataclass(frozen=True, slots=True)
class TablesCollector:
    """Reads tables. `at_most` limits the stored rows of a database."""

    collection: Collection
    at_most: int

    def collect_instance(self, instance: Instance, database_names: Sequence[str], session_id: UUID | None = None) -> InstanceOutcome:
        """Read these databases, and store why they could not be read if the server cannot be asked.

        Raises:
            StoreError: the store failed, so that not even failures can be stored.
        """
        try:
            return self.read_instance(instance, database_names, session_id)
        except TargetError as error:
            return self.record_failure(instance, database_names, error, session_id)

    def read_instance(
        self, instance: Instance, database_names: Sequence[str], session_id: UUID | None, spent_seconds: float = 0
    ) -> InstanceOutcome:
        """Read these databases, one after the other, and store each as soon as it is read, on the day of that moment.

        Raises:
            TargetError: the server could not be asked at all, and nothing was stored.
            StoreError: the store failed, so that not even failures can be stored.
        """
        outcomes: list[DatabaseOutcome] = []
        try:
            with self.collection.connect(TABLES, instance, spent_seconds=spent_seconds) as probe:
                refuse_another_server(instance, probe.identity(), probe.server_version)
                outcomes.extend(self._write(instance, _measure(probe, name, self.at_most), session_id) for name in database_names)
        except TargetError as error:
            if not outcomes:
                raise
            lost = self.record_failure(instance, database_names[len(outcomes) :], error, session_id)
            return InstanceOutcome(instance, [*outcomes, *lost.databases], error)
        return InstanceOutcome(instance, outcomes)

    def expect(self, names: Mapping[int, Sequence[str]], session_id: UUID) -> None:
        """Store that these databases, by the id of their instance, are missing today until they are read."""
        now, database = self.collection.clock(), self.collection.database
        self.collection.write(lambda: _write_expected(database, names, today(now, database.timezone), now, session_id))

    def record_failure(
        self, instance: Instance, database_names: Sequence[str], error: TargetError, session_id: UUID | None
    ) -> InstanceOutcome:
        """Store why these databases could not be read."""
        gaps = [MissingSize(name, Reason(error.reason), str(error)) for name in database_names]
        return InstanceOutcome(instance, [self._write(instance, gap, session_id) for gap in gaps], error)

    def _write(self, instance: Instance, outcome: TableSizes | MissingSize, session_id: UUID | None) -> DatabaseOutcome:
        now, database = self.collection.clock(), self.collection.database
        day = today(now, database.timezone)
        self.collection.write(lambda: _write_reading(database, instance, Reading(day, now, outcome, session_id)))
        if isinstance(outcome, MissingSize):
            return DatabaseOutcome(outcome.database_name, reason=outcome.reason, detail=outcome.detail)
        return DatabaseOutcome(outcome.database_name, outcome.total_bytes, len(outcome.missing))


def _write_expected(database: Database, names: Mapping[int, Sequence[str]], day: date, now: datetime, session_id: UUID) -> None:
    ensure_months(database, [day], _TABLE_NAMES)
    with database.transaction() as cursor:
        expect_databases(cursor, names, day, now, session_id)


def _write_reading(database: Database, instance: Instance, reading: Reading) -> None:
    ensure_months(database, [reading.day], _TABLE_NAMES)
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        write_tables(cursor, instance.instance_id, reading)


def _measure(probe: TablesProbe, database_name: str, at_most: int) -> TableSizes | MissingSize:
    try:
        return probe.measure_tables(database_name, at_most)
    except ValueError as error:
        raise SizesError(f"The server returned impossible sizes of {database_name!r}: {error}", reason=Reason.SERVER_ERROR) from error


def read_now(settings: Settings, database: Database, instance_id: int, database_name: str, fleet: Fleet | None = None) -> DatabaseOutcome:
    """Read the tables of one database, for a person who waits.

    Raises:
        NotFoundError: there is no such instance.
        UnreachableError, LoginRejectedError: it cannot be reached or refuses the login.
        SizesError: the tables could not be read.
    """
    instance = registered_instance(database, instance_id).instance
    collector = TablesCollector(server_collection(settings, database, fleet), settings.of(TablesSettings).tables_at_most)
    outcome = collector.collect_instance(instance, [database_name])
    if outcome.error is not None:
        raise outcome.error
    (read,) = outcome.databases
    if read.reason is not None:
        raise SizesError(f"The tables of {database_name!r} could not be read: {read.detail}", reason=read.reason)
    return read
