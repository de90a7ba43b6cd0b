"""Commands that change what others rely on are in the audit log, beside the requests of the API.

A command that starts a run is not: its session tells who did what.
"""

import getpass
from collections.abc import Sequence

import click

# Each with its subcommands, in the words that people type.
CHANGING = frozenset(
    f"{group} {name}"
    for group, names in {
        "instances": "accept add disable enable import remove rename set",
        "accounts": "assign unassign",
        "rules": "add delete-class disable edit import install",
        "alerts": "ack mute unmute",
        "alerts rules": "disable enable import remove-channel",
        "partitions": "create expire restore",
        "retention": "expire",
        "sessions": "cancel",
        "tokens": "create link revoke",
    }.items()
    for name in names.split()
)


def words_of(ctx: click.Context, command: click.Command | None, args: Sequence[str]) -> tuple[click.Command | None, list[str]]:
    """The command that these arguments lead to, and its words."""
    words = list(args[:1])
    while isinstance(command, click.Group) and len(words) < len(args):
        words.append(args[len(words)])
        command = command.get_command(ctx, words[-1])
    return command, words


def change_of(words: Sequence[str], args: Sequence[str]) -> str | None:
    """What the audit log has of a command: its words and what it names first; None if it changes nothing.

    Options are left out, because they may be long, or addresses with a secret.
    """
    if " ".join(words) not in CHANGING or "--dry-run" in args:
        return None
    named = [argument for argument in args[len(words) : len(words) + 1] if not argument.startswith("-")]
    return " ".join((*words, *named))


def record(change: str) -> None:
    """Write a command of this person into the audit log."""
    from whalefall_pipelines.api import audit  # noqa: PLC0415 - commands that only ask need no store of tokens
    from whalefall_pipelines.clock import system_clock  # noqa: PLC0415
    from whalefall_pipelines.runtime.open_store import open_store  # noqa: PLC0415
    from whalefall_pipelines.settings import load_settings  # noqa: PLC0415

    with open_store(load_settings()) as database:
        audit.record_command(database, getpass.getuser(), change, system_clock())
