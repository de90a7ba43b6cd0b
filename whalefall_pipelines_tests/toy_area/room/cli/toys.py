"""`whalefall toys`."""

import click
from whalefall_pipelines.toys.count import count

from whalefall_pipelines import settings
from whalefall_pipelines.runtime.open_store import open_store


@click.command()
def toys() -> None:
    """Count the toys."""
    with open_store(settings.load()) as database:
        click.echo(f"{count(database)} toys")
