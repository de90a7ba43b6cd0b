"""What commands print: tables in narrow terminals, lists of commands, errors."""

import os
import subprocess
import sys

import pytest

from whalefall_pipelines.terminal.output import print_table
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.usefixtures("narrow")
def test_the_name_for_the_next_command_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    name = "0f8fad5b-d9cb-469f-a165-70867728950e"
    print_table(("session", "said"), [{"session": name, "said": "x" * 90}], as_json=False, empty="")
    shown = capsys.readouterr().out
    assert name in shown
    assert shown.count("x") == 90


@pytest.mark.usefixtures("narrow")
def test_a_name_that_is_too_long_is_folded_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "active"), [{"name": "q" * 90, "active": "yes"}], as_json=False, empty="")
    shown = capsys.readouterr().out
    assert shown.count("q") == 90
    assert "q" * 61 not in shown
    assert "yes" in shown


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
