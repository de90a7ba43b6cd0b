"""`whalefall env`: what a shell needs so that plain `dagster dev` and other Dagster commands work on whalefall's store."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from whalefall_pipelines import settings
from whalefall_pipelines.cli.output import note, print_json
from whalefall_pipelines.services.dagster_environment import dagster_environment
from whalefall_pipelines.services.dagster_processes import migrate_once
from whalefall_pipelines.services.open_store import open_store
from whalefall_pipelines.store.embedded import StoreAddress, address

_SECRET = "WHALEFALL_DAGSTER_DATABASE_URL"  # noqa: S105 - the name of one


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON; a value with a password in it is null.")
@click.option("--dagster-url", "url_only", is_flag=True, help="Print only Dagster's URL, for a program: it may hold a password.")
def env(*, as_json: bool, url_only: bool) -> None:
    """Prepare the store and print the shell lines for it: eval "$(whalefall env)", then `dagster dev`.

    WHALEFALL_DATABASE_URL is never among them. Your own is set already; for the embedded store it would turn every later command of
    that shell into one on a store of your own, which is not started, moved or stopped. Dagster's URL is derived from your own, with
    its password: then the line asks `whalefall env --dagster-url` for it, so that no password is printed, and none is written to disk.
    """
    given = settings.load()
    with open_store(given):
        found = address(given)
    exports = dagster_environment(given, found)
    if found.is_embedded:
        migrate_once(given, os.environ | exports)
    del exports["WHALEFALL_DATABASE_URL"]
    if url_only:
        click.echo(exports[_SECRET])
        return
    secrets = {_SECRET} if found.dagster.password else set[str]()
    if as_json:
        print_json({key: None if key in secrets else value for key, value in exports.items()})
    else:
        _print_exports(exports, secrets)
    _explain(found, secrets)


def _print_exports(exports: Mapping[str, str], secrets: set[str]) -> None:
    program = Path(sys.argv[0])
    ours = shlex.quote(str(program.absolute()) if program.is_file() and os.access(program, os.X_OK) else "whalefall")
    for key, value in exports.items():
        click.echo(f'export {key}="$({ours} env --dagster-url)"' if key in secrets else f"export {key}={_quote(value)}")


def _quote(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _explain(found: StoreAddress, secrets: set[str]) -> None:
    if found.is_embedded:
        note("The embedded store runs in the background: `whalefall store stop` ends it.")
    else:
        note("WHALEFALL_DATABASE_URL is set already and stays as it is.")
    if secrets:
        note(f"{_SECRET} holds a password, so it is not printed: the shell asks for it.")
