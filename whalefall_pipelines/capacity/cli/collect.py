"""`whalefall collect`: the whole fleet through a Dagster run, or named instances directly."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Self

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from whalefall_pipelines.areas import areas
from whalefall_pipelines.capacity.collect import InstanceOutcome, capacity_collector
from whalefall_pipelines.capacity.day_reports import summarize_day
from whalefall_pipelines.capacity.settings import CapacitySettings
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import measurable_day, today
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.runs import collection
from whalefall_pipelines.domain.sessions import Session
from whalefall_pipelines.domain.zones import names_of
from whalefall_pipelines.errors import InputError, NotFoundError, WhalefallError
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.inventory.cli.selection import selection_options
from whalefall_pipelines.inventory.fleet import active_instances, active_zones
from whalefall_pipelines.inventory.replace_key import refuse_other_key
from whalefall_pipelines.inventory.selection import Selection
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.cli.sessions import print_session
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.sessions.run_in_dagster import run_in_dagster
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.sessions.show_sessions import show_session
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import (
    FAILURE,
    PARTIAL,
    SUCCESS,
    Form,
    format_bytes,
    json_option,
    leave,
    note,
    print_json,
    print_table,
)
from whalefall_pipelines.terminal.progress import error_console


@click.command()
@click.option(
    "--instance",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_instance,
    help="Collect only this instance, directly and without a session. Can be repeated.",
)
@selection_options
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to measure: today by default, or yesterday within the grace period after midnight.",
)
@json_option
def collect(names: tuple[str, ...], day: datetime | None, *, selection: Selection, as_json: bool) -> None:
    """Measure today: the whole fleet, or named instances. A Dagster run with a session measures the fleet. Instances selected by name,
    tag or engine are measured directly, without a session.

    Exit codes: 0 every expected size was measured, 1 some are missing, 2 nothing was measured.
    """
    settings = load_settings()
    with open_store(settings, may_make=True) as database:
        refuse_other_key(settings, database)
        measured = _measurable(settings, database, day.date() if day else today(system_clock(), database.timezone))
        if names or selection:
            leave(_collect_named(settings, database, names, selection, measured, as_json=as_json))
        leave(_collect_fleet(settings, database, measured, as_json=as_json))


def _measurable(settings: Settings, database: Database, day: date) -> date:
    collecting = settings.of(CollectingSettings)
    if measurable_day([day], system_clock(), database.timezone, collecting.grace):
        return day
    if day > today(system_clock(), database.timezone):
        raise InputError(f"{day} has not begun, so nothing can be measured.")
    raise InputError(
        f"{day} is over: a size can only be measured on its day (until {counted(collecting.grace_hours, 'hour')} after midnight). "
        "To recover or estimate its missing sizes, launch a backfill of database_size_stats for that day in the Dagster UI."
    )


def _collect_named(settings: Settings, database: Database, names: Sequence[str], selection: Selection, day: date, *, as_json: bool) -> int:
    try:
        targets = active_instances(database, names, selection)
    except NotFoundError as error:
        if not as_json:
            raise
        print_json([{"code": error.code, "message": str(error)}])
        return FAILURE
    collector = capacity_collector(settings, server_collection(settings, database))
    with error_console().status(f"Probing {counted(len(targets), 'server')} …"):
        outcomes = sorted(collector.collect_day(targets, day, None), key=lambda outcome: outcome.instance.instance_id)
    rows = [_row(outcome, as_json=as_json) for outcome in outcomes]
    print_table(list(rows[0]), rows, form=Form.JSON if as_json else Form.TABLE, droppable=("seconds",))
    if not as_json:
        for outcome in outcomes:
            for gap in outcome.missing:
                note(f"missing: {outcome.instance.name}/{gap.database_name} ({gap.reason}): {gap.detail}")
            for notice in outcome.notices:
                note(f"notice: {notice}")
    if all(outcome.error for outcome in outcomes):
        return FAILURE
    return PARTIAL if any(outcome.error or outcome.missing for outcome in outcomes) else SUCCESS


def _row(outcome: InstanceOutcome, *, as_json: bool) -> dict[str, object]:
    message = "inventory only: no active database" if outcome.is_skipped else None
    missing = [gap.database_name for gap in outcome.missing]
    was_asked = missing or not outcome.error  # else every known database is missing, and the probe did not count them
    return {
        "instance": outcome.instance.name,
        "code": outcome.error.code if outcome.error else "OPERATION_SUCCESS",
        "measured": outcome.measured,
        "missing": (missing if as_json else len(missing)) if was_asked else None,
        "total_bytes": outcome.total_bytes if as_json else format_bytes(outcome.total_bytes),
        "seconds": round(outcome.seconds, 2),
        "message": str(outcome.error) if outcome.error else message,
        **({"notices": list(outcome.notices)} if as_json else {}),
    }


def _collect_fleet(settings: Settings, database: Database, day: date, *, as_json: bool) -> int:
    reached = settings.of(CollectingSettings).reached
    if others := set(active_zones(database)) - reached:
        note(f"Servers of zone {names_of(others)} are not reached from here; their own workers collect them.")
    if not active_instances(database, zones=reached):
        note("No instance is registered. Register one with `whalefall instances add` or `whalefall instances import FILE`.")
        return FAILURE
    with SessionProgress(f"collecting {day}") as progress:
        (session,) = run_in_dagster(settings, database, collection(day, day), on_progress=progress.show)
    _follow_up(settings, database)
    session, records = show_session(database, session.session_id)
    summary, gaps = summarize_day(database, day)
    missing = summary.missing
    if as_json:
        print_json({"session_id": session.session_id, "run_id": session.run_id, "status": session.status, "day": day, "missing": missing})
    else:
        print_session(session, records)
        for gap in gaps:
            note(f"missing: {gap.instance_name}/{gap.database_name or '(never listed)'} ({gap.reason}): {gap.detail}")
        if summary.is_below(settings.of(CapacitySettings).fail_below_coverage):
            expected = counted(summary.expected, "expected database")
            note(f"The day failed in Dagster: {counted(summary.measured, f'of {expected} was', f'of {expected} were')} measured.")
    if session.successful_instances + session.skipped_instances == 0:
        return FAILURE
    return PARTIAL if session.failed_instances or missing else SUCCESS


def _follow_up(settings: Settings, database: Database) -> None:
    """Do for the other areas what the daemon would do after this day. An error does not undo the day: the daemon repeats the work."""
    for area in areas():
        if area.has_follow_up:
            try:
                area.load("follow_up").follow_up(database, settings, today(system_clock(), database.timezone))
            except WhalefallError as error:
                note(f"{area.name}: {error}")


class SessionProgress:
    """A progress bar of a running session on standard error if that is a terminal. Until the session opens it shows the elapsed time."""

    def __init__(self, title: str) -> None:
        """Create the bar; nothing is shown yet."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = error_console()
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(title, total=None)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._progress.stop()

    def show(self, session: Session) -> None:
        """Draw the progress of the session."""
        done = session.successful_instances + session.failed_instances + session.skipped_instances
        self._progress.update(self._task, total=session.total_instances, completed=done)

    def say(self, sentence: str) -> None:
        """Print a message above the bar."""
        with suppress(OSError):  # the terminal may have been closed, as in `note`
            self._progress.console.print(sentence, markup=False, soft_wrap=True)
