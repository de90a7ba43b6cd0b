"""`whalefall instances accept`: the user confirms which server an instance is."""

from collections.abc import Sequence

import click

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.inventory.registration import RegisteredInstance
from whalefall_pipelines.inventory.switch_instances import accept_moved, accept_replicas
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import cell, note


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_instance)
@click.option(
    "--moved",
    "is_moved",
    is_flag=True,
    help="The server was moved or rebuilt: accept the server that answers now, and continue its history.",
)
@click.option(
    "--replica/--no-replica", "is_replica", default=None, help="It is a separate server, although it looks like a registered one."
)
def accept(*, names: Sequence[str], is_moved: bool, is_replica: bool | None) -> None:
    """Confirm which server an instance is.

    A server that differs from the previous one, or that is already registered as another instance, is not measured until you confirm what
    it is. The retries of the day then measure it.
    """
    if is_moved is (is_replica is not None):
        raise InputError("Pass exactly one of --moved, --replica and --no-replica.")
    with open_store(load_settings()) as database:
        if is_replica is None:
            sentences = [_say_moved(registered) for registered in accept_moved(database, names)]
        else:
            known = accept_replicas(database, names, is_replica=is_replica)
            sentences = [_say_replica(registered, is_replica=is_replica) for registered in known]
    for sentence in sentences:
        note(sentence)
    wanted = " ".join(f"--instance {cell(name)}" for name in dict.fromkeys(names))
    note(f"The next retry of the day, or tomorrow's run, measures it; `whalefall collect {wanted}` does so now.")


def _say_moved(registered: RegisteredInstance) -> str:
    before = f"was {cell(registered.server_identity.name)}" if registered.server_identity else "had no known identity"
    return (
        f"{cell(registered.entry.name)} {before}; that identity was removed, and the next probe accepts the server that answers at "
        f"{cell(registered.instance.address)}. The history of its databases continues."
    )


def _say_replica(registered: RegisteredInstance, *, is_replica: bool) -> str:
    change = "is already" if is_replica is registered.entry.is_replica else "is now"
    marked = (
        "marked as a replica: it may share the identity and the address of another instance." if is_replica else "not marked as a replica."
    )
    return f"{cell(registered.entry.name)} {change} {marked}"
