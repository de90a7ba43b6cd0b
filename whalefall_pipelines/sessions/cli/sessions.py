"""`whalefall sessions`: the history of runs, with one record per instance."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from uuid import UUID

import click

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import InstanceRecord, Session
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.runtime.source import Asking, Question, open_source
from whalefall_pipelines.sessions import show_sessions as verbs
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, cell, format_duration, json_option, list_options, print_json, print_table

NEWEST = Question(verbs.newest_sessions, "/sessions")
MOST_NAMES = 10
# The columns that fit on one line; `show` has the rest.
_LISTED = ("session", "status", "days", "category", "type", "done", "failures", "started", "seconds", "retry of")

_DROPPABLE = ("retry of", "seconds", "type", "started", "done", "category")


@click.group()
def sessions() -> None:
    """Show the history of runs, or cancel a running session."""


@sessions.command("list", cls=Asking)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Number of sessions, newest first.")
@click.option("--most", "limit", type=click.IntRange(1, 10_000), hidden=True)
@click.option("--zone", help="Only sessions of this zone, or of the centre.")
@list_options
def list_newest(*, limit: int, zone: str | None, form: Form) -> None:
    """List the newest sessions."""
    with open_source() as source:
        newest = source.ask(NEWEST, limit=limit, zone=zone)
    if form.is_exact:
        print_table([field.name for field in fields(Session)], [asdict(session) for session in newest], form=form)
        return
    rows = [_session_row(session) | {"session": _short(session.session_id), "retry of": _short(session.retry_of)} for session in newest]
    listed = (*_LISTED, "zone") if any(session.zone for session in newest) else _LISTED
    print_table(listed, rows, empty="There are no sessions yet. `whalefall collect` opens the first one.", droppable=_DROPPABLE)


@sessions.command("show")
@click.argument("session_id")
@json_option
def show_session(session_id: str, *, as_json: bool) -> None:
    """Show one session with a record for each instance. The first characters of its id are enough."""
    with open_store(load_settings()) as database:
        session, records = verbs.show_session(database, session_id)
    if as_json:
        print_json(asdict(session) | {"records": [asdict(record) for record in records]})
        return
    print_session(session, records)


@sessions.command("cancel")
@click.argument("session_id")
def cancel_session(session_id: str) -> None:
    """Cancel a running session.

    Its run stops within seconds. Finished instances keep their results, and no further instance is started.
    """
    with open_store(load_settings()) as database:
        session = verbs.cancel_session(database, session_id)
    done = session.successful_instances + session.failed_instances + session.skipped_instances
    instances = counted(session.total_instances, "instance")
    reached = counted(done, f"of {instances} was finished or running", f"of {instances} were finished or running")
    click.echo(f"Session {session.session_id} is cancelled: {reached}.")


def print_session(session: Session, records: tuple[InstanceRecord, ...]) -> None:
    """Print a session: its figures, then its records, failures first."""
    for name, value in _session_row(session).items():
        click.echo(f"{name:<12} {cell(value)}")
    click.echo()
    if session.error_code:
        click.echo(cell(f"{session.error_code}: {session.error_message}"))
    for line in (*_reasons(records), *_notices(records)):
        click.echo(cell(line))
    rows = [_record_row(record) for record in records]
    columns = list(rows[0]) if rows else []
    print_table(columns, rows, empty="This session has no instance records.", droppable=("written", "attempts", "seconds"))


def _reasons(records: Iterable[InstanceRecord]) -> Iterator[str]:
    """One line per error code and reason, with the instances that failed with it."""
    names: dict[tuple[str, str], list[str]] = {}
    for record in records:
        if record.error_code:
            gaps = record.sync_details.get("missing", [])
            reason = record.sync_details.get("reason") or ", ".join(sorted({str(gap["reason"]) for gap in gaps}))
            names.setdefault((record.error_code, reason), []).append(record.instance_name)
    for (code, reason), failed in sorted(names.items(), key=lambda item: -len(item[1])):
        more = f" and {len(failed) - MOST_NAMES} more" if len(failed) > MOST_NAMES else ""
        yield f"{len(failed)} {code}{f' ({reason})' if reason else ''}: {', '.join(failed[:MOST_NAMES])}{more}"


def _notices(records: Iterable[InstanceRecord]) -> Iterator[str]:
    """Notices about databases that were measured: renames and anomalies."""
    for record in records:
        for new, old in record.sync_details.get("renamed", {}).items():
            yield f"notice: {record.instance_name}: {old!r} is now called {new!r} and keeps its history"
        for notice in record.sync_details.get("notices", []):
            yield f"notice: {record.instance_name}/{notice['database_name']}: {notice['notice']}"


def _short(session_id: UUID | None) -> str | None:
    return str(session_id)[:8] if session_id else None


def _session_row(session: Session) -> dict[str, object]:
    done = session.successful_instances + session.failed_instances + session.skipped_instances
    days = str(session.first_day) if session.first_day == session.last_day else f"{session.first_day} to {session.last_day}"
    return {
        "session": session.session_id,
        "status": session.status,
        "days": days,
        "category": session.sync_category,
        "type": session.sync_type,
        "done": f"{done}/{session.total_instances}",
        "successful": session.successful_instances,
        "failed": session.failed_instances,
        "skipped": session.skipped_instances,
        "failures": ", ".join(f"{count} {code}" for code, count in sorted(session.failures.items())) or session.error_code,
        "started": session.started_at,
        "seconds": format_duration(session.started_at, session.completed_at or system_clock()),
        "retry of": session.retry_of,
        **({"zone": session.zone} if session.zone else {}),
        "run": session.run_id,
    }


def _record_row(record: InstanceRecord) -> dict[str, object]:
    details = record.sync_details
    gaps = details.get("missing")  # absent if the probe failed; then every known database of the instance is missing
    reasons = ", ".join(sorted({str(gap["reason"]) for gap in gaps or ()}))
    return {
        "instance": record.instance_name,
        "status": "skipped" if record.is_skipped else record.status,
        "attempts": record.attempts,
        "written": record.items_synced,
        "missing": details.get("days_missing", details.get("still_missing", None if gaps is None else len(gaps))),
        "seconds": format_duration(record.started_at, record.completed_at),
        "code": record.error_code,
        "message": record.error_message or reasons or None,
    }
