"""Registers servers: a single one, or a whole fleet file by a plan that is shown before it is applied.

`fleet_entries.py` validates entries; `connection_test.py` tests registered servers.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.entry_change import EntryChange
from whalefall_pipelines.inventory.fleet_entries import FleetEntries, RawEntry, read_entries, with_secret
from whalefall_pipelines.inventory.fleet_file import parse_fleet_csv, parse_fleet_yaml
from whalefall_pipelines.inventory.identify_servers import Identify
from whalefall_pipelines.inventory.identities import Answers
from whalefall_pipelines.inventory.identity_conflicts import check_servers, find_twins
from whalefall_pipelines.inventory.read_text_file import read_text_file
from whalefall_pipelines.inventory.registration import (
    Action,
    CredentialEntry,
    Plan,
    PlannedInstance,
    Problem,
    RegisteredInstance,
    compare_fleet,
)
from whalefall_pipelines.inventory.replace_key import refuse_other_key
from whalefall_pipelines.inventory.store import instances as store
from whalefall_pipelines.inventory.store.identities import forget_identities, remember_identities
from whalefall_pipelines.inventory.store.instances import find_registered, lock_fleet, read_fleet, write_plan
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Cursor, Database

_CHANGED = "The registered fleet was changed after the plan was made, so nothing was written. Run the command again."
_PARSERS = {".yaml": parse_fleet_yaml, ".yml": parse_fleet_yaml, ".csv": parse_fleet_csv}


def read_fleet_file(path: Path, settings: Settings) -> FleetEntries:
    """Read the entries of a fleet file.

    Raises:
        InputError: the file cannot be read. Problems with its entries are in the result.
    """
    if path.suffix.lower() not in _PARSERS:
        raise InputError(f"The file {str(path)!r} must end in .yaml or .csv, because its name determines the format.")
    return parse_fleet(read_text_file(path), path.name, settings)


def parse_fleet(text: str, file_name: str, settings: Settings) -> FleetEntries:
    """The entries of the text of a fleet file, whose name ends in .yaml, .yml or .csv.

    Raises:
        InputError: it cannot be parsed. Problems with its entries are in the result.
    """
    parse = _PARSERS[Path(file_name).suffix.lower()]
    return _with_refusals(parse(text, file_name), SecretBox(settings))


def ask_nobody(_plan: Plan, _credentials: Sequence[CredentialEntry], _stored: Sequence[RegisteredInstance]) -> Answers:
    """No answers: addresses are compared as text."""
    return Answers()


def plan_fleet(database: Database, entries: FleetEntries, identify: Identify = ask_nobody) -> Plan:
    """Plan how these entries change the registered fleet. Conflicts between servers are problems of the plan.

    Raises:
        InputError: entries cannot be registered; the message lists all problems.
    """
    with database.transaction() as cursor:
        credentials, stored = read_fleet(cursor)
    plan = _plan(entries, credentials, stored)
    return check_servers(plan, stored, identify(plan, credentials, stored))


def carry_out(database: Database, entries: FleetEntries, plan: Plan) -> None:
    """Write a plan, all of it or nothing.

    Raises:
        InputError: the plan has problems, or the fleet has changed since the plan was made.
    """
    refuse(plan.problems)
    with database.transaction() as cursor:
        lock_fleet(cursor)
        credentials, stored = read_fleet(cursor)
        if check_servers(_plan(entries, credentials, stored), stored, plan.answers) != plan:
            raise InputError(_CHANGED)
        _write(cursor, plan)


def add_instance(
    settings: Settings, database: Database, raw_entry: RawEntry, password: str | None, identify: Identify = ask_nobody
) -> PlannedInstance:
    """Register one server, or restore a removed one. A `password` is encrypted and stored with its login.

    Raises:
        InputError: the entry cannot be registered, or its name is taken; nothing was written.
    """
    entries = _read_entry(settings, database, raw_entry, password)
    with database.transaction() as cursor:
        credentials, stored = read_fleet(cursor)
    plan = _plan(entries, credentials, stored)
    _refuse_overwriting(plan)
    _refuse_other_logins(plan, stored)
    plan = check_servers(plan, stored, identify(plan, credentials, stored))
    carry_out(database, entries, plan)
    return plan.instances[0]


def change_instance(settings: Settings, database: Database, name: str, change: EntryChange, identify: Identify = ask_nobody) -> Plan:
    """Change single fields of a registered instance, and return what was changed.

    Raises:
        NotFoundError: it is not registered, or was removed.
        InputError: it cannot be registered like this, or another instance uses the login; nothing was written.
    """
    with database.transaction() as cursor:
        (registered,) = find_registered(cursor, [name])
        credentials, stored = read_fleet(cursor)
    entries = _read_entry(settings, database, change.applied_to(registered), change.password)
    if change.keeps_secret and registered.login.secret:
        entries = with_secret(entries, registered.login.secret)
    plan = _plan(entries, credentials, stored)
    _refuse_other_logins(plan, stored)
    plan = check_servers(plan, stored, identify(plan, credentials, stored))
    carry_out(database, entries, plan)
    return plan


def rename_instance(database: Database, old_name: str, new_name: str) -> None:
    """Give a registered instance another name; its history stays with it. So does the login of its own name.

    Raises:
        NotFoundError: it is not registered, or was removed.
        InputError: the new name is taken or unfit; nothing was written.
    """
    with database.transaction() as cursor:
        lock_fleet(cursor)
        (registered,) = find_registered(cursor, [old_name])
        renamed = EntryChange({"name": new_name}).applied_to(registered)
        refuse(read_entries((), [renamed]).problems)
        _, stored = read_fleet(cursor)
        taken = {registered.entry.name: registered for registered in stored}.get(new_name)
        if taken:
            removed = " It was removed, and its history keeps the name." if taken.deleted_at else ""
            raise InputError(f"Nothing was changed: there is already an instance {new_name!r}.{removed}")
        store.rename_instance(cursor, old_name, new_name)


def _read_entry(settings: Settings, database: Database, raw_entry: RawEntry, password: str | None) -> FleetEntries:
    """One validated entry. A password is encrypted.

    Raises:
        InputError: it cannot be registered, or the stored passwords have another key.
    """
    secrets = SecretBox(settings)
    entries = _with_refusals(read_entries((), [raw_entry]), secrets)
    refuse(entries.problems)
    if password is None:
        return entries
    refuse_other_key(settings, database)
    return with_secret(entries, secrets.seal(password))


def _with_refusals(entries: FleetEntries, secrets: SecretBox) -> FleetEntries:
    """The same entries, with a problem for every login whose secret refers to a variable or a file that is not allowed."""
    refusals = [(login, secrets.refusal(login.secret)) for login in entries.credentials]
    problems = [
        Problem(login.line or 0, f"credential {login.name!r} has a secret that is refused: {why}.") for login, why in refusals if why
    ]
    return replace(entries, problems=tuple(sorted((*entries.problems, *problems))))


def refuse(problems: Sequence[Problem]) -> None:
    """Refuse to register anything.

    Raises:
        InputError: there are problems; the message lists all of them.
    """
    if problems:
        lines = [f"line {problem.line}: {problem.sentence}" if problem.line else problem.sentence for problem in sorted(problems)]
        raise InputError((" " if len(lines) == 1 else "\n  ").join(("Nothing was registered:", *lines)))


def _plan(entries: FleetEntries, credentials: Sequence[CredentialEntry], stored: Sequence[RegisteredInstance]) -> Plan:
    known = {credential.name for credential in (*credentials, *entries.credentials)}
    unknown = [
        Problem(entry.line or 0, f"instance {entry.name!r} uses the credential {entry.credential_name!r}, which does not exist.")
        for entry in entries.instances
        if entry.credential_name not in known
    ]
    refuse((*entries.problems, *unknown))
    return compare_fleet(entries.credentials, entries.instances, stored_credentials=credentials, stored_instances=stored)


def _write(cursor: Cursor, plan: Plan) -> None:
    write_plan(cursor, plan)
    forget_identities(cursor, [planned.entry.name for planned in plan.instances if planned.is_moved])
    identities = {planned.entry.name: planned.identity for planned in plan.instances if planned.identity}
    remember_identities(cursor, identities)
    # Identities that a probe claimed before we held the lock are visible only now.
    if identities and find_twins(find_registered(cursor, ()), identities, plan.answers):
        raise InputError(_CHANGED)


def _refuse_overwriting(plan: Plan) -> None:
    """Adding changes no instance that is in use."""
    (instance,) = plan.instances
    name = instance.entry.name
    if instance.action not in {Action.ADD, Action.RESTORE}:
        raise InputError(f"There is already an instance {name!r}: change it with `whalefall instances set`, or take it out with `remove`.")


def _refuse_other_logins(plan: Plan, stored: Sequence[RegisteredInstance]) -> None:
    """One instance changes no login but its own, and only if no other instance uses it."""
    (instance,) = plan.instances
    name = instance.entry.name
    own = {registered.login.name for registered in stored if registered.entry.name == name}
    for login in plan.credentials:
        if login.action is Action.CHANGE and (login.other_users or login.entry.name not in own):
            users = f", which {', '.join(login.other_users)} uses as well" if login.other_users else ""
            raise InputError(
                f"There is already a credential {login.entry.name!r} with another login{users}: "
                "use it with --credential, or name the new one with --credential-name."
            )
