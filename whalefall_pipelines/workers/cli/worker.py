"""`whalefall worker`: a Celery worker for the zones of this machine."""

import os
import socket
import sys
from importlib.util import find_spec

import click

from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.zones import names_of
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.embedded import address
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import note


@click.command()
@click.option("--runs", type=click.IntRange(1, 64), default=2, show_default=True, help="How many runs are executed at the same time.")
def worker(runs: int) -> None:
    """Execute the runs of the zones that this machine reaches, until Ctrl-C.

    WHALEFALL_ZONES lists the zones. Runs are received from the Redis at WHALEFALL_BROKER_URL. The worker opens outgoing connections only:
    to Redis, to the store and to Dagster's database.
    """
    settings = load_settings()
    collecting = settings.of(CollectingSettings)
    if find_spec("dagster_celery") is None:
        raise InputError("Workers of zones need the extra celery: pip install 'whalefall-pipelines[celery]'.")
    if collecting.broker_url is None:
        raise InputError("Workers of zones need WHALEFALL_BROKER_URL, the URL of their Redis.")
    with open_store(settings) as database:
        environment = os.environ | dagster_environment(settings, address(settings), database.timezone)
    zones = names_of(collecting.reached)
    note(f"Executing up to {counted(runs, 'run')} of {zones} at a time (Ctrl-C ends the worker after its runs).")
    name = f"{zones.replace(', ', '-')}@{socket.gethostname()}"
    options = ["--queues", zones.replace(" ", ""), "--concurrency", str(runs), "--hostname", name, "--loglevel", "WARNING"]
    command = [sys.executable, "-m", "celery", "--app", "whalefall_pipelines.workers.app", "worker", *options]
    os.execve(sys.executable, command, environment)  # noqa: S606 - the program of this process, without a shell
