"""Questions to the person at the terminal; a program that runs a command is never asked."""

import sys

import click

from whalefall_pipelines.cli.output import FAILURE, leave, note


def confirm(question: str, *, is_confirmed: bool) -> None:
    """Ask before something is done, and end the command when the answer is no. Without a terminal, or with --yes, it is done."""
    if not is_confirmed and sys.stdin.isatty() and not click.confirm(question, err=True):
        note("Nothing was changed.")
        leave(FAILURE)


def ask_password(question: str) -> str:
    """A password that is typed without being shown, or one line of standard input when that is no terminal."""
    if sys.stdin.isatty():
        return str(click.prompt(question, hide_input=True, err=True, default="", show_default=False))
    line = sys.stdin.readline()
    return line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line
