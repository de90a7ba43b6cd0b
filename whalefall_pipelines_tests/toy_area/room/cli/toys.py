"""`whalefall toys`."""

import click
from whalefall_pipelines.toys.count import count

from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings


@click.command()
def toys() -> None:
    """Count the toys."""
    with open_store(load_settings()) as database:
        click.echo(f"{count(database)} toys")
