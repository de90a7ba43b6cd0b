"""Runs `whalefall` in this process and returns all its output; real processes are in `trees.py`."""

import json
import traceback
from collections.abc import Mapping
from typing import Any

from click.testing import CliRunner, Result

from whalefall_pipelines.cli.main import main


def whalefall(environment: Mapping[str, str], *arguments: str, typed: str | None = None) -> Result:
    """The result of a command whose standard input is not a terminal."""
    return CliRunner(env=dict(environment)).invoke(main, list(arguments), input=typed, prog_name="whalefall")


def succeed(environment: Mapping[str, str], *arguments: str, typed: str | None = None) -> str:
    """The standard output of a command that must succeed."""
    result = whalefall(environment, *arguments, typed=typed)
    assert result.exit_code == 0, everything(result)
    return result.stdout


def document(environment: Mapping[str, str], *arguments: str) -> Any:
    """The JSON document that a command of two words prints."""
    return json.loads(succeed(environment, *arguments[:2], "--json", *arguments[2:]))


def refused(environment: Mapping[str, str], *arguments: str, typed: str | None = None) -> str:
    """The sentence of a command that must fail with its error code, and print nothing else."""
    result = whalefall(environment, *arguments, typed=typed)
    assert (result.exit_code, result.stdout) == (2, ""), everything(result)
    assert isinstance(result.exception, SystemExit), everything(result)
    return result.stderr


def everything(result: Result) -> str:
    """All output of a command: both streams, and the traceback of its exception."""
    return result.output + "".join(traceback.format_exception(result.exception) if result.exception else ())
