"""Questions to the person at the terminal; a program that runs a command is never asked."""

import sys

import click

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.terminal.output import FAILURE, leave, note


def confirm(question: str, *, is_confirmed: bool) -> None:
    """Ask before something is done, and end the command when the answer is no. With --yes it is done without asking.

    Raises:
        InputError: nobody can be asked, because standard input is no terminal, and --yes was not given.
    """
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise InputError(f"Nothing was changed, because nobody can be asked without a terminal: {question} Give --yes to do it.")
    if not click.confirm(question, err=True):
        note("Nothing was changed.")
        leave(FAILURE)


def ask_password(question: str) -> str:
    """A password that is typed without being shown, or one line of standard input when that is no terminal."""
    if sys.stdin.isatty():
        return str(click.prompt(question, hide_input=True, err=True, default="", show_default=False))
    line = sys.stdin.readline()
    return line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line
