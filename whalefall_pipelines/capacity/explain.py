"""Why a number is what it is: where it comes from, how it was measured, by which run, or why it is missing or estimated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.answers import HistoryDay
from whalefall_pipelines.capacity.store import answers
from whalefall_pipelines.capacity.store.listing import fetch
from whalefall_pipelines.domain.sizes import Method, Provenance
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.store.database import Database

# What each method asks the server. Methods of an engine that read the same views share their statements.
_MYSQL = ("list_table_files_mysql", "sum_tablespaces_mysql")
_MARIADB = ("list_table_files_mariadb", "sum_tablespaces_mariadb")
STATEMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Method.PG_DATABASE_SIZE: ("postgresql/measure_databases",),
        Method.MASTER_FILES: ("sqlserver/measure_databases",),
        Method.MASTER_FILES_OF_SECONDARY: ("sqlserver/measure_databases",),
        Method.BACKUP_FILE_SIZE: ("sqlserver/list_backups",),
        Method.BACKUP_FILE_SIZE_OF_REPLICA: ("sqlserver/list_backups",),
        Method.DBA_DATA_FILES: ("oracle/measure_data_files", "oracle/measure_temp_files"),
        Method.DBA_HIST_TBSPC_SPACE_USAGE: ("oracle/list_snapshots",),
        **{
            method: tuple(f"mysql/{name}" for name in (_MARIADB if "sys_tablespaces" in method else _MYSQL))
            for method in Method
            if method.startswith("innodb")
        },
    }
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the store knows of a database on a day. The neighbours are the nearest days that were measured or recovered."""

    instance_id: int
    instance_name: str
    engine: str
    server_version: str | None
    first_seen_date: date | None
    last_seen_date: date | None
    total_bytes: int | None
    provenance: Provenance | None
    method: str | None
    collected_at: datetime | None
    reason: str | None
    detail: str | None
    session_id: UUID | None
    run_id: str | None
    sync_type: str | None
    session_started_at: datetime | None
    before_day: date | None
    before_bytes: int | None
    after_day: date | None
    after_bytes: int | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A known day beside an estimated or missing one."""

    stat_date: date
    total_bytes: int


@dataclass(frozen=True, slots=True)
class DayExplanation:
    """Why the size of a database on a day is what it is, in one sentence and with the evidence.

    `state` is measured, recovered, estimated, missing or not expected. `probe_statements` are what the server was asked.
    """

    sentence: str
    instance_id: int
    instance_name: str
    engine: str
    database_name: str
    stat_date: date
    state: str
    total_bytes: int | None
    method: str | None
    collected_at: datetime | None
    reason: str | None
    detail: str | None
    server_version: str | None
    session_id: UUID | None
    run_id: str | None
    sync_type: str | None
    session_started_at: datetime | None
    neighbours: tuple[Neighbour, ...]
    probe_statements: tuple[str, ...]


def explain_day(database: Database, instance_id: int, database_name: str, day: date) -> DayExplanation:
    """Explain the size of a database on a day.

    Raises:
        NotFoundError: there is no such server, or it never had this database.
    """
    values = {"instance_id": instance_id, "database_name": database_name, "day": day}
    rows = fetch(database, "explain_day", Evidence, values)
    if not rows:
        raise NotFoundError(f"There is no instance {instance_id}.")
    evidence = rows[0]
    if evidence.first_seen_date is None and evidence.total_bytes is None and evidence.reason is None:
        raise NotFoundError(f"{evidence.instance_name} never had a database {database_name!r}.")
    days = [(evidence.before_day, evidence.before_bytes), (evidence.after_day, evidence.after_bytes)]
    neighbours = tuple(Neighbour(stat_date, size) for stat_date, size in days if stat_date is not None and size is not None)
    state = _state(evidence)
    return DayExplanation(
        sentence=_sentence(evidence, database_name, day, state),
        instance_id=evidence.instance_id,
        instance_name=evidence.instance_name,
        engine=evidence.engine,
        database_name=database_name,
        stat_date=day,
        state=state,
        total_bytes=evidence.total_bytes,
        method=evidence.method,
        collected_at=evidence.collected_at,
        reason=evidence.reason,
        detail=evidence.detail,
        server_version=evidence.server_version,
        session_id=evidence.session_id,
        run_id=evidence.run_id,
        sync_type=evidence.sync_type,
        session_started_at=evidence.session_started_at,
        neighbours=neighbours if state in {Provenance.ESTIMATED, "missing"} else (),
        probe_statements=tuple(queries.load(f"probes/{name}") for name in STATEMENTS.get(evidence.method or "", ())),
    )


def days_of_database(database: Database, instance_id: int, database_name: str, first_day: date, last_day: date) -> Sequence[HistoryDay]:
    """The days of a database, under every name that it had."""
    return answers.list_database_history(database, instance_id, database_name, first_day, last_day)


def _state(evidence: Evidence) -> str:
    if evidence.provenance is not None:
        return evidence.provenance
    if evidence.reason is not None:
        return "missing"
    return "not expected"


def _sentence(evidence: Evidence, database_name: str, day: date, state: str) -> str:
    name = f"{evidence.instance_name}/{database_name}"
    match state:
        case Provenance.MEASURED:
            return f"{name} was measured for {day} with the method {evidence.method}, at {evidence.collected_at:%Y-%m-%d %H:%M:%S %z}."
        case Provenance.RECOVERED:
            return f"{name} was not measured on {day}; its size was recovered later from the server's own history ({evidence.method})."
        case Provenance.ESTIMATED:
            return f"{name} was not measured on {day}; its size is interpolated between {evidence.before_day} and {evidence.after_day}."
        case "missing":
            return f"{name} was expected on {day} and has no size ({evidence.reason}): {evidence.detail}"
        case _:
            return f"Nothing is stored for {name} on {day}. It was not expected on that day, or the day has expired or was not collected."
