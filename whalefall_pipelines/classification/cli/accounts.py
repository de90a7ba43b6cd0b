"""What this area adds to `whalefall accounts`: classify, classes, assign and unassign."""

import getpass
from collections.abc import Sequence
from datetime import datetime

import click

from whalefall_pipelines.accounts.cli.options import as_of_option, day_of, instance_option, print_list
from whalefall_pipelines.classification.assign import assign as assign_account
from whalefall_pipelines.classification.assign import unassign as unassign_account
from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.classification.read_classes import list_members, members_of
from whalefall_pipelines.domain.sessions import SessionStatus, SyncCategory
from whalefall_pipelines.errors import ClassificationError
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.cli.sessions import print_session
from whalefall_pipelines.sessions.run_in_dagster import Run, run_in_dagster
from whalefall_pipelines.sessions.show_sessions import show_session
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import FAILURE, PARTIAL, SUCCESS, Form, cell, json_option, leave, list_options, note, print_json
from whalefall_pipelines.terminal.output import print_table as print_rows
from whalefall_pipelines.terminal.progress import error_console

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@instance_option
@json_option
def classify(*, names: tuple[str, ...], as_json: bool) -> None:
    """Classify today's accounts of the whole fleet, or of named instances. A Dagster run with a session classifies the fleet. Named
    instances are classified directly.

    Exit codes: 0 every rule was evaluated, 1 a rule failed and its accounts keep their classes, 2 nothing was evaluated.
    """
    settings = load_settings()
    with open_store(settings) as database:
        leave(_classify_named(database, names, as_json=as_json) if names else _classify_fleet(settings, database, as_json=as_json))


@click.command()
@instance_option
@click.option("--class", "code", metavar="CODE", help="Only this class.")
@click.option("--account", "account_name", metavar="NAME", help="Only accounts with this name.")
@as_of_option
@list_options
def classes(*, names: tuple[str, ...], code: str | None, account_name: str | None, as_of: datetime | None, form: Form) -> None:
    """List the classes of accounts, since when, and by which rule."""
    with open_store(load_settings()) as database:
        wanted = members_of(database, day_of(database, as_of), names=names, code=code, account_name=account_name)
        members = list_members(database, wanted)
    rows = [
        {
            "instance": member.instance_name,
            "account": member.account_name,
            "class": member.code,
            "axis": member.axis,
            "risk_level": member.risk_level,
            "by": f"{member.rule_name} (version {member.rule_version})" if member.rule_name else member.assigned_by,
            "since": member.valid_from,
            "until": member.valid_until,
            "note": member.notes,
        }
        for member in members
    ]
    columns = ("instance", "account", "class", "axis", "risk_level", "by", "since", "until", "note")
    print_list(columns, rows, form=form, empty="No account is in a class. Classify accounts with `whalefall accounts classify`.")


@click.command()
@click.argument("instance", shell_complete=complete_instance)
@click.argument("account")
@click.argument("code", metavar="CLASS")
@click.option("--note", "text", required=True, help="The reason, which is shown beside the account.")
@click.option("--until", type=_DAY, metavar="DAY", help="The first day on which it no longer holds; unlimited by default.")
def assign(*, instance: str, account: str, code: str, text: str, until: datetime | None) -> None:
    """Put an account into a class by hand. Every evaluation respects it, and the check for new privileged accounts does not warn about
    it."""
    with open_store(load_settings()) as database:
        day = day_of(database, None)
        assign_account(database, instance, account, code, day, person=getpass.getuser(), note=text, until=until.date() if until else None)
    note(f"{cell(instance)}/{cell(account)} is in {cell(code)} from {day} {f'until {until:%Y-%m-%d}' if until else 'on'}.")


@click.command()
@click.argument("instance", shell_complete=complete_instance)
@click.argument("account")
@click.argument("code", metavar="CLASS")
def unassign(*, instance: str, account: str, code: str) -> None:
    """End an assignment made by `accounts assign`. Assignments by rules do not change."""
    with open_store(load_settings()) as database:
        unassign_account(database, instance, account, code, day_of(database, None))
    note(f"{cell(instance)}/{cell(account)} is no longer assigned to {cell(code)} by hand.")


def _classify_named(database: Database, names: Sequence[str], *, as_json: bool) -> int:
    instances = active_instances(database, names)
    day = day_of(database, None)
    outcome = classify_accounts(database, day, [instance.instance_id for instance in instances])
    row = {"day": day, "accounts": outcome.accounts, "rules": outcome.rules, "began": outcome.opened, "ended": outcome.closed}
    problems = [problem.sentence for problem in outcome.problems]
    if as_json:
        print_json({**row, "problems": problems})
    else:
        print_rows(list(row), [row])
    return _exit_code(problems, outcome.rules)


def _exit_code(problems: Sequence[str], rules: int) -> int:
    for problem in problems:
        note(cell(problem))
    if not rules:
        note("No rule is active; `whalefall rules install` adds the shipped ones.")
        return FAILURE
    return PARTIAL if problems else SUCCESS


def _classify_fleet(settings: Settings, database: Database, *, as_json: bool) -> int:
    day = day_of(database, None)
    run = Run("classify_accounts", SyncCategory.CLASSIFICATION, day, day)
    with error_console().status(f"Classifying the accounts of {day} …"):
        run_in_dagster(settings, database, run)
    session, records = show_session(database, run.session_id)
    if as_json:
        print_json({"session_id": session.session_id, "run_id": session.run_id, "status": session.status, "day": day})
    else:
        print_session(session, records)
    if session.error_message:
        note(cell(session.error_message))
    if session.status is SessionStatus.COMPLETED:
        return SUCCESS
    return PARTIAL if session.error_code == ClassificationError.code else FAILURE


COMMANDS = (classify, classes, assign, unassign)
