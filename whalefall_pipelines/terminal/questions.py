"""Questions to the user at the terminal. A program that runs a command is never asked."""

import sys

import click

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.terminal.output import FAILURE, leave, note


def confirm(question: str, *, is_confirmed: bool) -> None:
    """Ask for confirmation, and end the command when the answer is no. With --yes the question is skipped.

    Raises:
        InputError: standard input is not a terminal and --yes was not given.
    """
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise InputError(f"Nothing was changed: {question} There is no terminal to confirm this; pass --yes to confirm.")
    if not click.confirm(question, err=True):
        note("Nothing was changed.")
        leave(FAILURE)


def ask_password(question: str) -> str:
    """Read a password from the terminal without echo, or one line of standard input when it is not a terminal."""
    if sys.stdin.isatty():
        return str(click.prompt(question, hide_input=True, err=True, default="", show_default=False))
    line = sys.stdin.readline()
    return line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line
