"""`whalefall env`: the environment in which `dagster dev` and other Dagster commands use whalefall's store."""

import os
import shlex
import sys
from pathlib import Path

import click

from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.dagster_processes import migrate_once
from whalefall_pipelines.runtime.embedded import address
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.urls import holds_secret
from whalefall_pipelines.terminal.output import note, print_json
from whalefall_pipelines.terminal.progress import error_console

_DAGSTER_URL = "WHALEFALL_DAGSTER_DATABASE_URL"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON; a value that contains a password is null.")
@click.option("--dagster-url", "url_only", is_flag=True, help="Print only Dagster's URL, for use by programs. It may contain a password.")
def env(*, as_json: bool, url_only: bool) -> None:
    """Print the environment for Dagster's own commands.

    Run eval "$(whalefall env)", then `dagster dev`. The store is started and prepared if necessary.

    WHALEFALL_DATABASE_URL is never printed. If you use it, it is already set. For the embedded store, it would make every later command in
    that shell treat the store as your own PostgreSQL, which is never started, moved or stopped. If Dagster's URL contains a password, the
    printed line runs `whalefall env --dagster-url` to get it, so that no password is printed or written to disk.
    """
    settings = load_settings()
    for variable in settings.unknown_variables:
        note(str(variable))
    with open_store(settings) as database:
        store_address = address(settings)
        exports = dagster_environment(settings, store_address, database.timezone)
    if store_address.is_embedded:
        with error_console().status("Creating Dagster's tables …"):
            migrate_once(settings, os.environ | exports)
    del exports["WHALEFALL_DATABASE_URL"]
    if url_only:
        click.echo(exports[_DAGSTER_URL])
        return
    has_password = holds_secret(store_address.dagster)
    if as_json:
        print_json(exports | ({_DAGSTER_URL: None} if has_password else {}))
    else:
        for key, value in exports.items():
            click.echo(f"export {key}={_ask_for_url() if has_password and key == _DAGSTER_URL else shlex.quote(value)}")
    if store_address.is_embedded:
        note("The embedded store runs in the background; `whalefall store stop` stops it.")
    else:
        note("WHALEFALL_DATABASE_URL is already set and is not changed.")
    if has_password:
        note(f"{_DAGSTER_URL} contains a password, so it is not printed; the shell runs a command to get it.")


def _ask_for_url() -> str:
    program = Path(sys.argv[0])
    ours = str(program.absolute()) if program.is_file() and os.access(program, os.X_OK) else "whalefall"
    return f'"$({shlex.quote(ours)} env --dagster-url)"'
