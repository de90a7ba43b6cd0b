"""`whalefall instances set` and `rename`: change a registered server."""

from collections.abc import Sequence

import click

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.inventory.cli.register import describe_change, identifying, read_tags
from whalefall_pipelines.inventory.entry_change import CLEARABLE_KEYS, EntryChange
from whalefall_pipelines.inventory.register_instances import change_instance, rename_instance
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import cell, note
from whalefall_pipelines.terminal.questions import ask_password


@click.command("set", context_settings={"allow_extra_args": True})
@click.argument("name", shell_complete=complete_instance)
@click.option("--host", help="Host name or address.")
@click.option("--port", help="Port.")
@click.option("--username", help="User name of its login.")
@click.option("--secret", metavar="env:NAME|file:/PATH", help="Reference from which the password is read whenever it is needed.")
@click.option("--password-prompt", is_flag=True, help="Prompt for the password, or read it from standard input, and store it encrypted.")
@click.option("--credential", help="Use the login of an existing credential instead.")
@click.option("--credential-name", help="Give it its own login with this name.")
@click.option("--database", help="Database to connect to first; for Oracle, the service name.")
@click.option("--sslmode", help="disable, prefer, require, verify-ca or verify-full.")
@click.option("--sslrootcert", help="File with the trusted certificates.")
@click.option("--capacity-limit", help="Size at which the server is full, such as 500GiB.")
@click.option("--zone", help="Zone from which the server is reached, or centre.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Add or change a tag. Can be repeated.")
@click.option("--untag", "removed_tags", metavar="KEY", multiple=True, help="Remove a tag. Can be repeated.")
@click.option(
    "--clear", "cleared", type=click.Choice([key.replace("_", "-") for key in CLEARABLE_KEYS]), multiple=True, help="Unset this field."
)
@click.option("--moved", "is_moved", is_flag=True, help="The server was moved or rebuilt: continue its history.")
@click.option("--offline", "is_offline", is_flag=True, help="Do not connect to the server; compare addresses only.")
@click.pass_context
def set_(
    context: click.Context,
    *,
    name: str,
    password_prompt: bool,
    tags: Sequence[str],
    removed_tags: Sequence[str],
    cleared: Sequence[str],
    is_moved: bool,
    is_offline: bool,
    **options: str | None,
) -> None:
    """Change fields of the server NAME.

    Only the given fields change. Another address is checked first: a different server is refused unless you pass --moved. A login that
    other servers also use is not changed.
    """
    if context.args:  # never repeated: it may be a password
        raise InputError("Only one NAME is allowed. A password is never an argument; use --password-prompt to enter it.")
    if password_prompt and (options["secret"] is not None or options["credential"] is not None):
        raise InputError("--password-prompt excludes --secret and --credential.")
    settings = load_settings()
    change = EntryChange(
        {key: text for key, text in options.items() if text is not None},
        [key.replace("-", "_") for key in cleared],
        read_tags(tags),
        removed_tags,
        ask_password(f"Password for {cell(name)}") if password_prompt else None,
    )
    moved = [name] if is_moved else []
    with open_store(settings) as database, identifying(settings, moved, is_offline=is_offline) as identify:
        plan = change_instance(settings, database, name, change, identify)
    changes = [*(change for login in plan.credentials for change in login.changes), *plan.instances[0].changes]
    for sentence in map(describe_change, changes):
        note(f"{cell(name)}: {sentence}")
    if plan.is_empty:
        note(f"{cell(name)} already has these values; nothing was changed.")


@click.command()
@click.argument("old_name", metavar="OLD", shell_complete=complete_instance)
@click.argument("new_name", metavar="NEW")
def rename(*, old_name: str, new_name: str) -> None:
    """Give a server another name.

    Its history stays with it. A fleet file that still has the old name would add it again.
    """
    with open_store(load_settings()) as database:
        rename_instance(database, old_name, new_name)
    note(f"{cell(old_name)} is now called {cell(new_name)}, and its history continues. Change its name in fleet files as well.")
