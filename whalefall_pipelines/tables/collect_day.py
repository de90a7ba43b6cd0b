"""Reads the tables of every database that a rule names, server by server in parallel, within a session."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError, TargetError
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.each_instance import as_whalefall_error, each_instance
from whalefall_pipelines.sessions.retries import Unrepaired
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable
from whalefall_pipelines.tables import store
from whalefall_pipelines.tables.collect import InstanceOutcome, TablesCollector
from whalefall_pipelines.tables.model import Missing, RankedTable, Rules

GIGABYTE = 2**30


@dataclass(frozen=True, slots=True)
class Work:
    """The servers to probe, and on each of them the databases to read."""

    targets: Sequence[Instance]
    names: dict[int, list[str]]


def choose(database: Database, day: date, rules: Rules, instance_names: Sequence[str]) -> Work:
    """The databases that a rule names today, of these servers or of all."""
    targets = {instance.instance_id: instance for instance in active_instances(database, instance_names)}
    with database.transaction() as cursor:
        chosen = store.list_chosen_databases(cursor, day, rules, instance_names)
    names: defaultdict[int, list[str]] = defaultdict(list)
    for entry in chosen:
        if entry.instance_id in targets:
            names[entry.instance_id].append(entry.database_name)
    return Work([targets[number] for number in names], dict(names))


def collect_chosen(
    collector: TablesCollector, work: Work, session_id: UUID, *, parallel: int, check: Callable[[], None]
) -> Iterator[InstanceOutcome]:
    """Read these databases and close the record of each server; yield each outcome as it ends.

    Raises:
        StoreError: the store failed, or was unavailable for too long.
        SessionEndedError: the session was ended elsewhere; no further server is probed.
    """
    database = collector.database

    def probe(instance: Instance) -> InstanceOutcome:
        outcome = collector.collect_instance(instance, work.names[instance.instance_id], session_id)
        retry_while_unavailable(lambda: _close_record(database, session_id, outcome))
        return outcome

    def claim(instances: Sequence[Instance]) -> Sequence[Instance]:
        numbers = [instance.instance_id for instance in instances]
        begun = retry_while_unavailable(lambda: sessions.start_records(database, session_id, numbers))
        return [instance for instance in instances if instance.instance_id in begun]

    for instance, outcome in each_instance(
        work.targets, probe, parallel=parallel, interrupt=collector.fleet.shut_all, check=check, claim=claim
    ):
        yield outcome if isinstance(outcome, InstanceOutcome) else _broken(collector, instance, work, session_id, outcome)


def _broken(collector: TablesCollector, instance: Instance, work: Work, session_id: UUID, error: Exception) -> InstanceOutcome:
    """The outcome of a server whose work broke; its databases are missing.

    Raises:
        StoreUnreachableError, SessionEndedError: they end the work on all servers.
    """
    failure = SizesError(str(as_whalefall_error(error)), reason=error.reason if isinstance(error, TargetError) else Reason.INTERNAL_ERROR)
    outcome = collector.record_failure(instance, work.names[instance.instance_id], failure, session_id)
    _close_record(collector.database, session_id, outcome)
    return outcome


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


def find_unrepaired(database: Database, day: date) -> Sequence[Unrepaired]:
    """The servers that a retry may cure, by the session that probed them last."""
    with database.transaction() as cursor:
        return store.list_unrepaired(cursor, day)


def rules_of(settings: Settings) -> Rules:
    """The rules of this installation."""
    key, _, value = settings.tables_tag.partition("=")
    return Rules(key, value or None, settings.tables_over_gigabytes * GIGABYTE, settings.tables_grew_gigabytes * GIGABYTE)
