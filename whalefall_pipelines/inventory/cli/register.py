"""`whalefall instances add` and `import`: register servers."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet_entries import RawEntry, split_tag
from whalefall_pipelines.inventory.identify_servers import Identify, server_identifier
from whalefall_pipelines.inventory.register_instances import add_instance, carry_out, plan_fleet, read_fleet_file, refuse
from whalefall_pipelines.inventory.registration import Action, Change, Plan, PlannedInstance
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.terminal.output import cell, note, print_table
from whalefall_pipelines.terminal.progress import error_console
from whalefall_pipelines.terminal.questions import ask_password, confirm


def _identity_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for the identity check that precedes registration."""
    moved = click.option("--moved", metavar="NAME", multiple=True, help="The server was moved or rebuilt: continue its history.")
    offline = click.option("--offline", "is_offline", is_flag=True, help="Do not connect to the servers; compare addresses only.")
    return moved(offline(command))


@click.command(context_settings={"allow_extra_args": True})
@click.argument("name")
@click.option("--engine", required=True, help=f"{', '.join(Engine)}; also mariadb and postgres.")
@click.option("--host", required=True, help="Host name or address.")
@click.option("--port", help=f"{', '.join(f'{engine.default_port} for {engine}' for engine in Engine)} unless given.")
@click.option("--username", help="User name of the login.")
@click.option("--secret", metavar="env:NAME|file:/PATH", help="Reference from which the password is read whenever it is needed.")
@click.option("--password-prompt", is_flag=True, help="Prompt for the password, or read it from standard input, and store it encrypted.")
@click.option("--credential", help="Use the login of an existing credential instead.")
@click.option("--credential-name", help="Name of the new credential; the name of the instance by default.")
@click.option("--database", help="Database to connect to first; for Oracle, the service name.")
@click.option("--sslmode", help="disable, prefer, require, verify-ca or verify-full.")
@click.option("--sslrootcert", help="File with the trusted certificates.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Tag of the instance. Can be repeated.")
@click.option("--capacity-limit", help="Size at which the server is full, such as 500GiB.")
@click.option("--zone", help="Zone from which the server is reached; the centre by default.")
@click.option("--replica", is_flag=True, help="The server may share the identity or the address of another instance.")
@_identity_options
@click.pass_context
def add(
    context: click.Context,
    *,
    password_prompt: bool,
    tags: Sequence[str],
    replica: bool,
    moved: Sequence[str],
    is_offline: bool,
    **options: str | None,
) -> None:
    """Register a server under NAME.

    The identity of the server is checked first: a server that is already registered is refused, and so is a different server that uses the
    name of a removed one. A server that cannot be reached is registered as well, and its first probe checks its identity.
    """
    if context.args:  # never repeated: it may be a password
        raise InputError("Only one NAME is allowed. A password is never an argument; use --password-prompt to enter it.")
    if password_prompt and (options["secret"] is not None or options["username"] is None):
        raise InputError("--password-prompt requires --username and excludes --secret.")
    values = {key: text for key, text in options.items() if text is not None} | ({"replica": "true"} if replica else {})
    entry = RawEntry(values, read_tags(tags))
    settings = load_settings()
    password = ask_password(f"Password of {cell(options['username'])}") if password_prompt else None
    with open_store(settings, may_make=True) as database, identifying(settings, moved, is_offline=is_offline) as identify:
        planned = add_instance(settings, database, entry, password, identify)
    name = cell(planned.entry.name)
    if planned.action is Action.RESTORE:
        kept = f" It keeps {cell(' and '.join(planned.kept))}; `whalefall instances set` changes that." if planned.kept else ""
        note(f"{name} is registered again, and its history continues.{kept}")
    else:
        note(f"{name} is registered; check it with `whalefall instances test`.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", is_flag=True, help="Skip the confirmation. Required without a terminal.")
@_identity_options
def import_(*, file: Path, dry_run: bool, yes: bool, moved: Sequence[str], is_offline: bool) -> None:
    """Register the servers of a file (YAML, CSV).

    The plan is shown first, and is applied completely or not at all. Importing a file again changes nothing, and servers that are not in
    the file stay as they are. A CSV file has the same keys in its first line, and tags like env=prod;team=x. The identities of new,
    restored and moved servers are checked. If one server has two names, or a different server has a known name, the plan is refused.

    \b
    defaults: {engine: postgresql, credential: monitoring}
    credentials:
      - {name: monitoring, username: whalefall, secret: env:MONITOR_PASSWORD}
    instances:
      - {name: db1, host: db1.example, tags: {env: prod}, capacity_limit: 500GiB}
      - {name: db2, host: db2.example, engine: mysql, username: me, secret: file:/run/secrets/db2}

    \b
    Keys of an instance: name, engine, host, port, database, username, secret,
    credential_name, credential, sslmode, sslrootcert, tags, capacity_limit, replica, zone.
    """
    settings = load_settings()
    entries = read_fleet_file(file, settings)
    with open_store(settings, may_make=not dry_run) as database:
        with identifying(settings, moved, is_offline=is_offline) as identify:
            plan = plan_fleet(database, entries, identify)
        _print_plan(plan)
        refuse(plan.problems)
        if plan.is_empty or dry_run:
            note("Nothing was changed.")
            return
        confirm("Apply this plan?", is_confirmed=yes)
        carry_out(database, entries, plan)
    note("Done.")


@contextmanager
def identifying(settings: Settings, moved: Sequence[str], *, is_offline: bool) -> Generator[Identify]:
    """An identifier of the real servers that shows its progress for the block."""
    with error_console().status("Checking the identities of the servers …") as shown:

        def show(done: int, total: int) -> None:
            shown.update(f"{done:,} of {counted(total, 'server')} checked …")

        yield server_identifier(settings, moved, show, is_offline=is_offline).identify


def read_tags(texts: Sequence[str]) -> Mapping[str, str]:
    """Tags as they are written on the command line.

    Raises:
        InputError: one is not KEY=VALUE, or a key is repeated.
    """
    pairs = [split_tag(text) for text in texts]
    tags = dict(pair for pair in pairs if pair)
    if len(tags) < len(pairs):
        raise InputError("Each --tag must be KEY=VALUE, and no key may be repeated.")
    return tags


def _print_plan(plan: Plan) -> None:
    rows = [
        {
            "action": planned.action,
            "what": what,
            "name": planned.entry.name,
            "changes": "; ".join((*map(describe_change, planned.changes), *marks)) or None,
        }
        for what, planned_changes in (("credential", plan.credentials), ("instance", plan.instances))
        for planned in planned_changes
        for marks in [_marks(planned) if isinstance(planned, PlannedInstance) else ()]
        if planned.action is not Action.UNCHANGED
    ]
    print_table(("action", "what", "name", "changes"), rows, empty="Everything in the file is already registered.")
    for login in plan.credentials:
        if login.action is Action.CHANGE and login.other_users:
            click.echo(f"Credential {cell(login.entry.name)} is also used by {', '.join(map(cell, login.other_users))}.")
    for name, why in plan.answers.unreached.items():
        note(f"The identity of {cell(name)} could not be checked, so its first probe checks it: {cell(why)}")
    count = {action: sum(planned.action is action for planned in plan.instances) for action in Action}
    untouched = counted(
        plan.untouched,
        "more is registered, not in the file, and stays as it is",
        "more are registered, not in the file, and stay as they are",
    )
    click.echo(
        f"Instances: {count[Action.ADD]} to add, {count[Action.CHANGE]} to change, {count[Action.RESTORE]} to restore, "
        f"{count[Action.UNCHANGED]} unchanged; {untouched}."
    )


def _marks(planned: PlannedInstance) -> tuple[str, ...]:
    kept = tuple(f"keeps {cell(text)}" for text in planned.kept)
    return (*kept, "moved") if planned.is_moved else kept


def describe_change(change: Change) -> str:
    """A change in one line."""
    return f"{change.field} {cell(change.old)} → {cell(change.new)}"
