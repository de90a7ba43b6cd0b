"""Runs `whalefall` in this process and tells everything that it gave away; real processes are `trees.py`."""

import json
import traceback
from collections.abc import Mapping
from typing import Any

from click.testing import CliRunner, Result

from whalefall_pipelines.cli.main import main


def whalefall(environment: Mapping[str, str], *arguments: str, typed: str | None = None) -> Result:
    """The result of a command, with standard input that is no terminal."""
    return CliRunner(env=dict(environment)).invoke(main, list(arguments), input=typed, prog_name="whalefall")


def succeed(environment: Mapping[str, str], *arguments: str, typed: str | None = None) -> str:
    """What a command that must work prints on standard output."""
    result = whalefall(environment, *arguments, typed=typed)
    assert result.exit_code == 0, everything(result)
    return result.stdout


def document(environment: Mapping[str, str], *arguments: str) -> Any:
    """The JSON document that a command of two words prints."""
    return json.loads(succeed(environment, *arguments[:2], "--json", *arguments[2:]))


def refused(environment: Mapping[str, str], *arguments: str, typed: str | None = None) -> str:
    """The sentence of a command that must fail with the code for that, and print nothing else."""
    result = whalefall(environment, *arguments, typed=typed)
    assert (result.exit_code, result.stdout) == (2, ""), everything(result)
    assert isinstance(result.exception, SystemExit), everything(result)
    return result.stderr


def everything(result: Result) -> str:
    """All that a command let out: both outputs, and the traceback of what it raised."""
    return result.output + "".join(traceback.format_exception(result.exception) if result.exception else ())
