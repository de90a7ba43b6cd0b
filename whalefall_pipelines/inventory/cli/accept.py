"""`whalefall instances accept`: a person's answer to the question which server an instance is."""

from collections.abc import Sequence

import click

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.registration import RegisteredInstance
from whalefall_pipelines.inventory.switch_instances import accept_moved, accept_replicas
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import cell, note


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option(
    "--moved", "is_moved", is_flag=True, help="It was moved or rebuilt: take the server that answers now, and go on with its history."
)
@click.option(
    "--replica/--no-replica", "is_replica", default=None, help="It is another server though it looks like one that is registered."
)
def accept(*, names: Sequence[str], is_moved: bool, is_replica: bool | None) -> None:
    """Answer which server an instance is.

    A server that is not the one of before is not measured, nor is one that another instance is already: only a person can tell what that
    means. The retries of the day take it up again.
    """
    if is_moved is (is_replica is not None):
        raise InputError("Say one of --moved, --replica and --no-replica.")
    with open_store(load_settings()) as database:
        if is_replica is None:
            sentences = [_say_moved(registered) for registered in accept_moved(database, names)]
        else:
            known = accept_replicas(database, names, is_replica=is_replica)
            sentences = [_say_replica(registered, is_replica=is_replica) for registered in known]
    for sentence in sentences:
        note(sentence)
    wanted = " ".join(f"--instance {cell(name)}" for name in dict.fromkeys(names))
    note(f"The next visit is a retry of the day, or that of tomorrow: `whalefall collect {wanted}` makes it now.")


def _say_moved(registered: RegisteredInstance) -> str:
    before = f"was {cell(registered.server_identity.name)}" if registered.server_identity else "had not told who it is"
    return (
        f"{cell(registered.entry.name)} {before}; that is forgotten, and its next visit takes the server that answers at "
        f"{cell(registered.instance.address)}. Its databases go on under their names."
    )


def _say_replica(registered: RegisteredInstance, *, is_replica: bool) -> str:
    change = "is already" if is_replica is registered.entry.is_replica else "is now"
    marked = "marked as a replica: it may have the identity and the address of another instance." if is_replica else "no replica."
    return f"{cell(registered.entry.name)} {change} {marked}"
