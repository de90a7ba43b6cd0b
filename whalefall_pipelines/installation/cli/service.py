"""`whalefall service`: the systemd unit that runs `whalefall up` from boot on."""

import getpass
import os
import shutil
import sys
from pathlib import Path

import click

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.installation.service import ENVIRONMENT_FILE, Service, unit_file
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import note
from whalefall_pipelines.terminal.questions import confirm


@click.group()
def service() -> None:
    """Run whalefall as a systemd service."""


@service.command()
@click.option("--system", "is_system", is_flag=True, help="Install a system unit, which starts at boot, instead of a user unit.")
@click.option("--user", help="User who runs the system unit. [default: you]")
@click.option("--port", type=click.IntRange(1024, 65535), default=3000, show_default=True, help="Port of the web UI.")
@click.option("--write", "is_written", is_flag=True, help="Write the unit file instead of printing it.")
@click.option("--yes", is_flag=True, help="Replace an existing unit file without asking. Required without a terminal.")
def install(*, is_system: bool, user: str | None, port: int, is_written: bool, yes: bool) -> None:
    """Print or write a unit that runs `whalefall up` for the home of this command. systemd is not called; the commands that start the
    unit are printed.
    """
    settings = load_settings()
    unit = Service(_program(), settings.home, port, (user or getpass.getuser()) if is_system else None)
    file = unit_file(os.environ, is_system=is_system)
    if not is_written:
        click.echo(unit.text, nl=False)
        note(f"Save this as {file}; --write writes it.")
        return
    if file.exists() and file.read_text(encoding="utf-8") != unit.text:
        confirm(f"Replace the unit {file}?", is_confirmed=yes)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(unit.text, encoding="utf-8")
    note(f"Wrote {file}. To start it: {unit.start_command}")
    if not is_system:
        note("It stops when you log out, unless you run `loginctl enable-linger`.")
    note(
        f"It does not see the variables of your shell. Put WHALEFALL_ variables into {settings.home / 'settings.env'}, "
        f"and passwords of servers into {settings.home / ENVIRONMENT_FILE}."
    )


def _program() -> Path:
    """This command as systemd can run it.

    Raises:
        LocalServerError: it is not installed as a program.
    """
    called = Path(sys.argv[0]).absolute()
    beside = Path(sys.executable).with_name("whalefall")
    installed = shutil.which("whalefall")
    for program in (called, beside, *([Path(installed)] if installed else [])):
        if program.name == "whalefall" and os.access(program, os.X_OK):
            return program
    raise LocalServerError("The program `whalefall` is not installed beside this Python, so a service cannot run it. Install it with pip.")
