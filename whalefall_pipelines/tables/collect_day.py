"""Reads the tables of every database that a rule names, server by server in parallel, within a session."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.zones import Zones
from whalefall_pipelines.errors import SizesError, TargetError, WhalefallError
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.retries import Unrepaired
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables import store
from whalefall_pipelines.tables.collect import InstanceOutcome, TablesCollector
from whalefall_pipelines.tables.model import Missing, RankedTable, Rules, TablesCoverage
from whalefall_pipelines.tables.settings import TablesSettings

GIGABYTE = 2**30


@dataclass(frozen=True, slots=True)
class Work:
    """The servers to probe, and on each of them the databases to read."""

    targets: Sequence[Instance]
    names: dict[int, list[str]]


def choose(database: Database, day: date, rules: Rules, instance_names: Sequence[str], zones: Zones | None = None) -> Work:
    """The databases that a rule names today, of these servers or of all, in these zones or in all."""
    targets = {instance.instance_id: instance for instance in active_instances(database, instance_names, zones=zones)}
    with database.transaction() as cursor:
        chosen = store.list_chosen_databases(cursor, day, rules, instance_names)
    names: defaultdict[int, list[str]] = defaultdict(list)
    for entry in chosen:
        if entry.instance_id in targets:
            names[entry.instance_id].append(entry.database_name)
    return Work([targets[number] for number in names], dict(names))


def collect_chosen(collector: TablesCollector, work: Work, session_id: UUID) -> Iterator[InstanceOutcome]:
    """Read these databases and close the record of each server; yield each outcome as it ends.

    Raises:
        StoreError: the store failed, or was unavailable for too long.
        SessionEndedError: the session was ended elsewhere; no further server is probed.
    """
    collector.expect(work.names, session_id)
    yield from collector.collection.collect(work.targets, session_id, ChosenTables(collector, work.names, session_id))


@dataclass(frozen=True, slots=True)
class ChosenTables:
    """Reads the chosen databases of one server, each stored as soon as it is read, and closes the server's record."""

    collector: TablesCollector
    names: Mapping[int, Sequence[str]]
    session_id: UUID

    def probe(self, instance: Instance, spent_seconds: float) -> InstanceOutcome:
        """Read and store the tables of these databases.

        Raises:
            TargetError: the server could not be asked at all.
        """
        return self.collector.read_instance(instance, self.names[instance.instance_id], self.session_id, spent_seconds)

    def write(self, _instance: Instance, snapshot: InstanceOutcome, _seconds: float) -> InstanceOutcome:
        """Close the record."""
        _close_record(self.collector.collection.database, self.session_id, snapshot)
        return snapshot

    def write_failure(self, instance: Instance, error: WhalefallError, seconds: float) -> InstanceOutcome:
        """Store that the databases are missing, and fail the record."""
        failure = error if isinstance(error, TargetError) else SizesError(str(error), reason=Reason.INTERNAL_ERROR)
        outcome = self.collector.record_failure(instance, self.names[instance.instance_id], failure, self.session_id)
        return self.write(instance, outcome, seconds)


def _close_record(database: Database, session_id: UUID, outcome: InstanceOutcome) -> None:
    missing = [read for read in outcome.databases if read.reason]
    details: dict[str, object] = {
        "missing": [{"database_name": read.database_name, "reason": read.reason, "detail": read.detail} for read in missing],
        "missing_tables": sum(read.missing_tables for read in outcome.databases),
    }
    instance_id = outcome.instance.instance_id
    with database.transaction() as cursor:
        if len(missing) == len(outcome.databases):
            error = outcome.error or SizesError(f"{missing[0].database_name!r}: {missing[0].detail}", reason=str(missing[0].reason))
            sessions.fail_record(cursor, session_id, instance_id, error_code=error.code, error_message=str(error), details=details)
        else:
            items = {"synced": len(outcome.databases) - len(missing)}
            sessions.complete_record(cursor, session_id, instance_id, is_skipped=False, items=items, details=details)


def report_day(database: Database, day: date, most: int) -> tuple[Sequence[RankedTable], Sequence[Missing]]:
    """The rankings of a day, and what is missing on it."""
    with database.transaction() as cursor:
        return store.rank_tables(cursor, day, most), store.list_missing(cursor, day)


def read_coverage(database: Database, first_day: date, last_day: date) -> Sequence[TablesCoverage]:
    """The coverage of each instance and day (inclusive) on which tables were to be read."""
    with database.transaction() as cursor:
        return store.list_coverage(cursor, first_day, last_day)


def find_unrepaired(database: Database, day: date) -> Sequence[Unrepaired]:
    """The servers that a retry may cure, by the session that probed them last."""
    with database.transaction() as cursor:
        return store.list_unrepaired(cursor, day)


def rules_of(settings: Settings) -> Rules:
    """The rules of this installation."""
    reading = settings.of(TablesSettings)
    key, _, value = reading.tables_tag.partition("=")
    return Rules(key, value or None, reading.tables_over_gigabytes * GIGABYTE, reading.tables_grew_gigabytes * GIGABYTE)
