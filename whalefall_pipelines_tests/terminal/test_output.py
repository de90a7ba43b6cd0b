"""What commands print: tables in narrow terminals, lists of commands, errors."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import Form, print_table
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall
from whalefall_pipelines_tests.cli.terminals import at_a_terminal
from whalefall_pipelines_tests.factories import register


def test_csv_has_exact_values(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": 'a "b", c', "active": True, "at": datetime(2026, 11, 22, 3, tzinfo=UTC), "tags": {"env": "prod"}, "version": None}
    print_table(tuple(row), [row], form=Form.CSV)
    shown = capsys.readouterr().out
    assert shown == 'name,active,at,tags,version\n"a ""b"", c",true,2026-11-22T03:00:00+00:00,"{""env"": ""prod""}",\n'


@pytest.mark.process
def test_a_list_fits_a_terminal_of_80_columns(store: Database, store_environment: dict[str, str], tmp_path: Path) -> None:
    register(store, "a-server-with-quite-a-long-name", host="a-server-with-quite-a-long-name.example", port=5432)
    exit_code, shown = at_a_terminal(store_environment | {"COLUMNS": "80"}, tmp_path, "instances", "list", typed="")
    assert exit_code == 0
    lines = [re.sub(r"\x1b\[\d*m", "", line) for line in shown.splitlines()]
    assert max(map(len, lines[:-1])) <= 80, shown
    assert "a-server-with-quite-a-long-name.example:5432" in shown
    assert "Not shown at this width:" in lines[-1]
    assert "last_connected" in succeed(store_environment, "instances", "list")


@pytest.mark.parametrize("group", [(), ("instances",), ("sessions",), ("partitions",), ("store",)])
def test_the_lists_of_commands_are_not_cut(group: tuple[str, ...]) -> None:
    shown = succeed({}, *group, "--help")
    assert "Commands:" in shown
    assert "..." not in shown.partition("Commands:")[2]


def test_debug_shows_where_an_error_comes_from_and_keeps_the_exit_code() -> None:
    environment = {"WHALEFALL_TIMEZONE": "Mars"}
    sentence = refused(environment, "sessions", "list")
    debugged = whalefall(environment, "--debug", "sessions", "list")
    assert debugged.exit_code == 2
    assert debugged.stderr.startswith("Traceback")
    assert debugged.stderr.endswith(sentence)


@pytest.mark.process
def test_a_closed_pipe_ends_the_output_silently(store_environment: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from whalefall_pipelines.cli.main import main; main()", "sessions", "list"]
    ended = subprocess.run(command, env=os.environ | store_environment, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")
