"""`whalefall doctor` as people run it: lines with a next step, JSON, exit codes, and a whole running installation."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import everything, whalefall
from whalefall_pipelines_tests.factories import register


def test_problems_have_a_next_step_and_exit_with_1(store: Database, store_environment: dict[str, str]) -> None:
    register(store, "down")
    result = whalefall(store_environment, "doctor")
    assert result.exit_code == 1, everything(result)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ok       store             ")
    problems = [number for number, line in enumerate(lines) if line.startswith(("problem", "warning"))]
    assert {lines[number].split()[1] for number in problems} >= {"table", "daemon", "instances"}
    assert all(lines[number + 1].strip().startswith("→ ") for number in problems)
    assert sum(line.strip().startswith("→") for line in lines) == len(problems)


def test_quiet_says_what_a_person_has_to_do_and_nothing_else(store: Database, store_environment: dict[str, str]) -> None:
    loud = whalefall(store_environment, "doctor", "--no-instances")
    quiet = whalefall(store_environment, "doctor", "--no-instances", "--quiet")
    assert (quiet.exit_code, quiet.stderr) == (1, "")
    lines = loud.stdout.splitlines()
    wanted = [number for number, line in enumerate(lines) if line.startswith("problem")]
    assert quiet.stdout.splitlines() == [line for number in wanted for line in lines[number : number + 2]]


@pytest.mark.process
def test_in_a_terminal_no_line_begins_behind_the_progress(store: Database, store_environment: dict[str, str]) -> None:
    terminal, side = os.openpty()
    command = [sys.executable, "-c", "from whalefall_pipelines.cli.main import main; main()", "doctor", "--no-instances"]
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        process = subprocess.Popen(command, env=os.environ | store_environment | {"TERM": "xterm"}, stdin=side, stdout=side, stderr=side)
        os.close(side)
        shown = b""
        with contextlib.suppress(OSError):  # Linux raises this when the other end is closed
            while chunk := screen.read(4096):
                shown += chunk
        assert process.wait(60) == 1
    begin = re.compile(rb"(\x1b\[2K|\n)(\x1b\[\d+m)*$")
    lines = list(re.finditer(rb"(ok|warning|problem) +(\x1b\[0m)? (store|schema|daemon)", shown))
    assert len(lines) == 3
    assert all(begin.search(shown[: line.start()]) for line in lines), shown


def test_json_says_the_same(store: Database, store_environment: dict[str, str]) -> None:
    result = whalefall(store_environment, "doctor", "--json", "--no-instances")
    rows = json.loads(result.stdout)
    assert {row["severity"] for row in rows} == {"ok", "warning", "problem"} or {row["severity"] for row in rows} == {"ok", "problem"}
    assert all((row["next_step"] is None) == (row["severity"] == "ok") for row in rows)
    assert "instances" not in {row["check"] for row in rows}


def test_an_unreachable_store_exits_with_2(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    url = "postgresql://somebody:not-to-be-seen@127.0.0.1:9/whalefall"
    for environment in ({"WHALEFALL_HOME": home}, {"WHALEFALL_HOME": home, "WHALEFALL_DATABASE_URL": url}):
        for options in ((), ("--json",)):
            result = whalefall(environment, "doctor", *options)
            assert result.exit_code == 2
            assert "problem" in result.stdout
            assert "not-to-be-seen" not in everything(result)


def test_answers_of_servers_cannot_control_the_terminal(store: Database, store_environment: dict[str, str]) -> None:
    register(store, "evil\x1b[2J")
    assert "\x1b[2J" not in everything(whalefall(store_environment, "doctor"))
