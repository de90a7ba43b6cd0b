"""The sessions, running ones first, and one session with its records."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.console.actions.sessions import CANCEL
from whalefall_pipelines.console.blocks import (
    Block,
    Card,
    Cards,
    Field,
    Forms,
    Note,
    Page,
    Search,
    Table,
    Tone,
    Value,
    instant,
    number,
    text,
)
from whalefall_pipelines.console.pages.zones import zone_choice
from whalefall_pipelines.console.urls import server_url, session_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import InstanceRecord, Session, SessionStatus, SyncCategory
from whalefall_pipelines.domain.zones import name_of
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.inventory.fleet import active_zones
from whalefall_pipelines.sessions.show_sessions import list_sessions, show_session
from whalefall_pipelines.store.database import Database

_NEWEST = 500


def sessions_page(database: Database, asked: Mapping[str, str]) -> Page:
    """The newest sessions of a category, a status and a zone, or of all of them; running ones first."""
    wanted = {"sync_category": asked.get("category") or None, "status": asked.get("status") or None, "zone": asked.get("zone") or None}
    sessions = sorted(list_sessions(database, wanted, most=_NEWEST), key=lambda session: session.status is not SessionStatus.RUNNING)
    running = sum(session.status is SessionStatus.RUNNING for session in sessions)
    failed = sum(session.status is SessionStatus.FAILED for session in sessions)
    table = Table(
        "sessions",
        "Newest sessions",
        ("Started", "Category", "Type", "Days", "Zone", "Status", "Servers", "Failed", "Duration", "Error"),
        [_row(session, database.timezone) for session in sessions],
        "There are no sessions yet.",
    )
    answer = f"{running} running; {failed} of the newest {len(sessions)} failed."
    fields = [
        Field("category", "Category", asked.get("category", ""), kind="choice", options=_choices(SyncCategory)),
        Field("status", "Status", asked.get("status", ""), kind="choice", options=_choices(SessionStatus)),
        *zone_choice(active_zones(database), asked.get("zone")),
    ]
    return Page("Sessions", answer, [Search("Show", fields), table], is_running=running > 0)


def _choices(values: Iterable[str]) -> Sequence[tuple[str, str]]:
    return (("", "all"), *((str(value), str(value)) for value in values))


def session_page(services: Services, session_id: str, dagster_url: str | None) -> Page:
    """One session with a record for each instance, or the run that was launched and has not opened it yet.

    Raises:
        NotFoundError: there is no such session.
    """
    database = services.reader
    try:
        session, records = show_session(database, session_id)
    except NotFoundError:
        queued = services.find_queued(UUID(session_id)) if _is_uuid(session_id) else None
        if queued is None:
            raise
        run = Card("Dagster run", text(queued.run_id[:8], run_url(dagster_url, queued.run_id)))
        return Page("Session", "The session is queued in Dagster and opens when its run begins.", [Cards([run])], is_running=True)
    blocks: list[Block] = [_cards(session, database.timezone, dagster_url)]
    if session.status is SessionStatus.RUNNING:
        blocks.append(Forms([CANCEL.form({"session_id": str(session.session_id)})]))
    if session.error_message:
        blocks.append(Note(Tone.PROBLEM, f"{session.error_code}.", session.error_message))
    blocks.append(_records(records, database.timezone))
    title = f"Session of {session.sync_category}, {_days(session)}"
    instances = counted(session.total_instances, "instance")
    finished = counted(_progress(session), f"of {instances} is finished", f"of {instances} are finished")
    return Page(title, f"It is {session.status}: {finished}.", blocks, is_running=session.status is SessionStatus.RUNNING)


def _progress(session: Session) -> int:
    return session.successful_instances + session.failed_instances + session.skipped_instances


def _days(session: Session) -> str:
    return str(session.first_day) if session.first_day == session.last_day else f"{session.first_day} to {session.last_day}"


def _seconds(session: Session) -> float | None:
    return round((session.completed_at - session.started_at).total_seconds(), 1) if session.completed_at else None


def _row(session: Session, timezone: ZoneInfo) -> tuple[Value, ...]:
    return (
        Value(instant(session.started_at, timezone).text, session.started_at, url=session_url(session.session_id)),
        text(session.sync_category),
        text(session.sync_type.replace("_", " ")),
        text(_days(session)),
        text(name_of(session.zone)),
        text(session.status),
        _servers(session),
        number(session.failed_instances),
        number(_seconds(session), " s"),
        text(session.error_code or ", ".join(session.failures) or None),
    )


def _servers(session: Session) -> Value:
    """How many servers are finished; unknown for what asks none."""
    told = f"{_progress(session)} of {session.total_instances}"
    return Value(told, session.total_instances, is_number=True) if session.total_instances else number(None)


def _cards(session: Session, timezone: ZoneInfo, dagster_url: str | None) -> Cards:
    return Cards(
        [
            Card("Status", text(session.status), str(session.sync_type)),
            Card("Started", instant(session.started_at, timezone)),
            Card("Duration", number(_seconds(session), " s"), "" if session.completed_at else "still running"),
            Card("Instances", number(session.total_instances), f"{session.failed_instances} failed, {session.skipped_instances} skipped"),
            Card("Dagster run", text(session.run_id and session.run_id[:8], run_url(dagster_url, session.run_id))),
        ]
    )


def run_url(dagster_url: str | None, run_id: str | None) -> str | None:
    """The page of a run in the Dagster UI, if that is served."""
    return f"{dagster_url}/runs/{run_id}" if dagster_url and run_id and _is_uuid(run_id) else None


def _is_uuid(run_id: str) -> bool:
    try:
        UUID(run_id)
    except ValueError:
        return False
    return True


def _records(records: tuple[InstanceRecord, ...], timezone: ZoneInfo) -> Table:
    return Table(
        "records",
        "Instances",
        ("Instance", "Status", "Attempts", "Started", "Items", "Code", "What happened"),
        [
            (
                text(record.instance_name, server_url(record.instance_name)),
                text("skipped" if record.is_skipped else record.status),
                number(record.attempts),
                instant(record.started_at, timezone),
                number(record.items_synced),
                text(record.error_code),
                text(record.error_message),
            )
            for record in sorted(records, key=lambda record: (record.error_code is None, record.instance_name))
        ],
        "This session has no records.",
    )
