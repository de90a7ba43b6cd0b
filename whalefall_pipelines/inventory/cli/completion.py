"""Completes names of servers and databases in a shell. Only a store that runs is asked, and whatever is wrong with it is no answer."""

from collections.abc import Callable
from contextlib import closing, suppress

import click

from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.inventory.fleet import registered_instances, show_instance
from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database


def complete_instance(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The registered servers whose name begins like this."""
    return [name for name in _ask(_instances) if name.startswith(incomplete)]


def complete_series(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The same, and after a slash the databases of the server."""
    return [
        name for name in _ask(lambda database: [*_instances(database), *_databases(database, incomplete)]) if name.startswith(incomplete)
    ]


def _instances(database: Database) -> list[str]:
    return [registered.entry.name for registered in registered_instances(database)]


def _databases(database: Database, incomplete: str) -> list[str]:
    """The databases of the servers whose name and slash the text begins with."""
    servers = [name for name in _instances(database) if incomplete.startswith(f"{name}/")]
    return [f"{name}/{known_database.database_name}" for name in servers for known_database in show_instance(database, name)[1]]


def _ask(question: Callable[[Database], list[str]]) -> list[str]:
    with suppress(WhalefallError, OSError), closing(open_database(load_settings(), pool_size=1)) as database:
        return question(database)
    return []
