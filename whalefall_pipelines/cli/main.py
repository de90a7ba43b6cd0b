"""The `whalefall` command: its groups, and the one place where an error becomes a sentence and an exit code."""

import logging
import sys
from typing import Any, ClassVar

import click

from whalefall_pipelines.cli.output import FAILURE, note
from whalefall_pipelines.errors import WhalefallError


class Whalefall(click.Group):
    """Loads a command when it is called, so that `whalefall --help` answers at once, and turns errors into sentences."""

    commands_by_module: ClassVar[dict[str, str]] = {
        "up": "up",
        "demo": "demo",
        "instances": "instances",
        "collect": "collect",
        "coverage": "coverage",
        "aggregate": "aggregate",
        "verify": "verify",
        "sessions": "sessions",
        "partitions": "partitions",
        "doctor": "doctor",
        "store": "store",
        "env": "env",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of a first day with whalefall."""
        return list(self.commands_by_module)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        from importlib import import_module  # noqa: PLC0415 - part of loading late

        module = self.commands_by_module.get(cmd_name)
        return getattr(import_module(f"whalefall_pipelines.cli.{module}"), cmd_name) if module else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it raises on purpose is one sentence on standard error."""
        try:
            return super().invoke(ctx)
        except WhalefallError as error:
            if ctx.params.get("debug"):
                raise
            note(f"whalefall: {error}")
        except OSError as error:
            if ctx.params.get("debug"):
                raise
            note(f"whalefall: {error.filename or 'the system'}: {error.strerror or error}.")
        except KeyboardInterrupt:
            note("whalefall: interrupted.")
        raise SystemExit(FAILURE)


@click.command(cls=Whalefall, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="whalefall-pipelines", prog_name="whalefall")
def main(*, debug: bool) -> None:
    """One honest size for every database on every server, for every day.

    Exit codes: 0 all of it worked, 1 part of it, 2 none of it.
    """
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, stream=sys.stderr, format="%(message)s")
