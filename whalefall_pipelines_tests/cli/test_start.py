"""`whalefall` starts fast: it imports what its command needs and nothing else."""

import subprocess
import sys

import click
import pytest

from whalefall_pipelines.areas import areas

# Each takes a tenth of a second or more to import.
HEAVY = {"dagster", "psycopg2", "sqlalchemy", "rich", "yaml", "cryptography", "psutil"}
_PROGRAM = """
import sys
from whalefall_pipelines.cli.main import main
main({arguments}, standalone_mode=False)
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""


@pytest.mark.process
def test_the_help_imports_nothing_heavy() -> None:
    program = [sys.executable, "-c", _PROGRAM.format(arguments=["--help"])]
    ended = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    assert "Check this installation for problems." in ended.stdout
    assert set(ended.stderr.split()) & HEAVY == set()


@pytest.mark.parametrize(("name", "sentence"), [command for area in areas() for command in area.commands.items()])
def test_the_list_of_commands_says_what_their_help_says(name: str, sentence: str) -> None:
    (area,) = (area for area in areas() if name in area.commands)
    command: click.Command = getattr(area.load(f"cli.{name}"), name)
    assert command.get_short_help_str(limit=200) == sentence
