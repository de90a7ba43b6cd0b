"""`whalefall uninstall`: removes the installation that this command belongs to."""

import os

import click

from whalefall_pipelines.installation.uninstall import plan_uninstallation
from whalefall_pipelines.installation.uninstall import uninstall as carry_out
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import note
from whalefall_pipelines.terminal.questions import confirm


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and change nothing.")
@click.option("--yes", is_flag=True, help="Skip the confirmation. Required without a terminal.")
def uninstall(*, dry_run: bool, yes: bool) -> None:
    """Stop and remove this installation.

    Its processes are stopped, and its home and its systemd units are removed, with everything that was collected into the embedded store.
    Your own PostgreSQL and the monitored servers are not touched.
    """
    settings = load_settings()
    planned = plan_uninstallation(settings, os.environ)
    if planned.is_empty:
        note(f"There is no installation in {planned.home}.")
        return
    for what, names in (("stop", planned.running), ("remove", (*planned.units, *planned.entries)), ("keep", planned.kept)):
        for name in names:
            click.echo(f"{what:<7} {name}")
    if dry_run:
        return
    if settings.database_url:
        note("The store is your own PostgreSQL (WHALEFALL_DATABASE_URL) and stays as it is.")
    confirm(f"Remove the installation in {planned.home}, with everything in its embedded store?", is_confirmed=yes)
    carry_out(planned)
    note("The installation was removed. To remove the program as well, run `pip uninstall whalefall-pipelines`.")
