"""The `whalefall` command: the commands of all areas, and the conversion of errors to messages and exit codes."""

import logging
import sys
import traceback
from typing import Any

import click

from whalefall_pipelines.areas import areas
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.terminal.output import FAILURE, note


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
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader of our output closed it: click exits silently
        except (WhalefallError, OSError) as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            note(f"whalefall: {_sentence(error)}")
        except KeyboardInterrupt:
            note("whalefall: interrupted.")
        raise SystemExit(FAILURE)


def _sentence(error: WhalefallError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}."
    return str(error)


@click.command(cls=Whalefall, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="whalefall-pipelines", prog_name="whalefall")
def main(*, debug: bool) -> None:
    """One honest size for every database on every server, for every day.

    Exit codes: 0 success, 1 partial success, 2 failure.
    """
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, stream=sys.stderr, format="%(message)s")
