"""The `whalefall` command: the commands of all areas, and the conversion of errors to messages and exit codes."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from whalefall_pipelines.areas import areas
from whalefall_pipelines.cli.audited import change_of, record, words_of
from whalefall_pipelines.errors import InputError, WhalefallError
from whalefall_pipelines.terminal.output import FAILURE, PARTIAL, note

_CHANGE = "whalefall.change"


class Whalefall(click.Group):
    """Loads a command when it is called, and turns errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command of every area."""
        return [command for area in areas() for command in area.commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without loading them: together they take seconds to import."""
        with formatter.section("Commands"):
            formatter.write_dl([command for area in areas() for command in area.commands.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        area = next((area for area in areas() if cmd_name in area.commands), None)
        if area is None:
            return None
        command: click.Command = getattr(area.load(f"cli.{cmd_name}"), cmd_name)
        if isinstance(command, click.Group):
            for other in areas():
                for subcommand in other.load(f"cli.{cmd_name}").COMMANDS if cmd_name in other.extends else ():
                    command.add_command(subcommand)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Expected errors become one message on standard error."""
        try:
            return self._invoke_audited(ctx)
        except BrokenPipeError:
            raise  # the reader of our output closed it: click exits silently
        except (WhalefallError, OSError) as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            note(f"whalefall: {_sentence(error)}")
        except KeyboardInterrupt:
            note("whalefall: interrupted.")
        raise SystemExit(FAILURE)

    def _invoke_audited(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
        except SystemExit as error:
            if error.code == PARTIAL:
                _record(ctx)
            raise
        _record(ctx)
        return result

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. A server elsewhere answers only those that ask.

        Raises:
            InputError: the command needs the machine of the installation.
        """
        name, command, rest = super().resolve_command(ctx, args)
        leaf, words = words_of(ctx, command, args)
        if ctx.params.get("server") is not None:
            _refuse_machine_work(leaf, words)
        ctx.meta[_CHANGE] = change_of(words, args)
        return name, command, rest


def _record(ctx: click.Context) -> None:
    if change := ctx.meta.get(_CHANGE):
        record(change)


def _refuse_machine_work(command: click.Command | None, words: Sequence[str]) -> None:
    from whalefall_pipelines.runtime.source import Asking  # noqa: PLC0415 - commands of this machine need no client

    if command is not None and not isinstance(command, Asking | click.Group):
        raise InputError(f"whalefall {' '.join(words)} needs the machine of the installation: run it there, without --server.")


def _sentence(error: WhalefallError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}."
    return str(error)


@click.command(cls=Whalefall, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--server", envvar="WHALEFALL_SERVER", metavar="URL", help="Ask the web process of an installation elsewhere.")
@click.option(
    "--token-file",
    envvar="WHALEFALL_TOKEN_FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the token for --server; the variable WHALEFALL_TOKEN by default.",
)
@click.version_option(package_name="whalefall-pipelines", prog_name="whalefall")
@click.pass_context
def main(ctx: click.Context, *, debug: bool, server: str | None, token_file: Path | None) -> None:
    """One honest size for every database on every server, for every day.

    Exit codes: 0 success, 1 partial success, 2 failure.
    """
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, stream=sys.stderr, format="%(message)s")
    if server is not None:
        from whalefall_pipelines.runtime.source import Server  # noqa: PLC0415

        token = token_file.read_text(encoding="utf-8").strip() if token_file else os.environ.get("WHALEFALL_TOKEN", "")
        ctx.obj = Server(server.rstrip("/"), token)
