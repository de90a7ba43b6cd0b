"""`whalefall accounts sync`: the whole fleet through a Dagster run, or named instances directly."""

from collections.abc import Sequence

import click

from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.accounts.write_snapshot import AccountsOutcome
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.inventory.replace_key import refuse_other_key
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.cli.sessions import print_session
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.sessions.run_in_dagster import run_in_dagster
from whalefall_pipelines.sessions.show_sessions import show_session
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import (
    FAILURE,
    PARTIAL,
    SUCCESS,
    Form,
    cell,
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
    help="Read only this instance, directly and without a session. Can be repeated.",
)
@json_option
def sync(*, names: tuple[str, ...], as_json: bool) -> None:
    """Read today's accounts of the whole fleet, or of named instances. A Dagster run with a session reads the fleet. Named instances
    are read directly, without a session.

    Exit codes: 0 everything was read, 1 something could not be read, 2 nothing was read.
    """
    settings = load_settings()
    with open_store(settings) as database:
        refuse_other_key(settings, database)
        leave(_sync_named(settings, database, names, as_json=as_json) if names else _sync_fleet(settings, database, as_json=as_json))


def _sync_named(settings: Settings, database: Database, names: Sequence[str], *, as_json: bool) -> int:
    try:
        targets = active_instances(database, names)
    except NotFoundError as error:
        if not as_json:
            raise
        print_json([{"code": error.code, "message": str(error)}])
        return FAILURE
    day = today(system_clock(), database.timezone)
    with error_console().status(f"Reading the accounts of {counted(len(targets), 'server')} …"):
        outcomes = sorted(
            sync_accounts(server_collection(settings, database), targets, day, None, read_filters(settings)),
            key=lambda outcome: outcome.instance.instance_id,
        )
    rows = [_row(outcome) for outcome in outcomes]
    print_table(list(rows[0]), rows, form=Form.JSON if as_json else Form.TABLE, droppable=("seconds",))
    for outcome in outcomes:
        for gap in outcome.unread:
            cure = f" To read it, run on that server: {cell(gap.cure)}" if gap.cure else ""
            note(f"unread: {cell(outcome.instance.name)}: {cell(gap.detail)}.{cure}")
    if all(outcome.error for outcome in outcomes):
        return FAILURE
    return PARTIAL if any(outcome.error or outcome.unread for outcome in outcomes) else SUCCESS


def _row(outcome: AccountsOutcome) -> dict[str, object]:
    return {
        "instance": outcome.instance.name,
        "code": outcome.error.code if outcome.error else "OPERATION_SUCCESS",
        "accounts": outcome.accounts,
        "new": len(outcome.created),
        "gone": len(outcome.gone),
        "changed": outcome.changed,
        "unread": len(outcome.unread),
        "seconds": round(outcome.seconds, 2),
        "message": str(outcome.error) if outcome.error else None,
    }


def _sync_fleet(settings: Settings, database: Database, *, as_json: bool) -> int:
    if not active_instances(database):
        note("No instance is registered. Register one with `whalefall instances add` or `whalefall instances import FILE`.")
        return FAILURE
    day = today(system_clock(), database.timezone)
    with error_console().status(f"Reading the accounts of {day} …"):
        (session,) = run_in_dagster(settings, database, Run("sync_accounts", SyncCategory.ACCOUNT, day, day))
    session, records = show_session(database, session.session_id)
    if as_json:
        print_json({"session_id": session.session_id, "run_id": session.run_id, "status": session.status, "day": day})
    else:
        print_session(session, records)
    if session.successful_instances == 0:
        return FAILURE
    return PARTIAL if session.failed_instances else SUCCESS
