"""The README is executed: its commands in order, its tables compared with the code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.faults.readme import HEADER, rows

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PACKAGE = ROOT / "whalefall_pipelines"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def table_under(header: str) -> list[list[str]]:
    lines = README[README.index(header) :].splitlines()[2:]
    rows = lines[: next(i for i, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def run_commands(script: str, home: Path, folder: Path) -> None:
    """Run every line of a block in one environment; a line says what it exits with, else 0."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    command = tools / "whalefall"
    command.write_text(f"#!{sys.executable}\nfrom whalefall_pipelines.cli.main import main\nmain(prog_name='whalefall')\n")
    command.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WHALEFALL_", "DAGSTER_"))}
    environment |= {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "WHALEFALL_HOME": str(home)}
    for line in script.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        if line.startswith("export "):
            environment[name] = value
            continue
        expected = re.search(r"# exits with (\d)$", line)
        result = subprocess.run(
            ["sh", "-c", line],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            stdin=subprocess.DEVNULL,
        )
        assert result.returncode == (int(expected.group(1)) if expected else 0), f"{line}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.stderr


@pytest.mark.process
def test_the_first_day_runs_as_shown(tmp_path: Path) -> None:
    home = tmp_path / "home"
    *commands, stop = blocks("sh")[0].splitlines()
    looked_at = "whalefall doctor --json --no-instances > doctor.json  # exits with 1"
    try:
        run_commands("\n".join([*commands, looked_at, stop]), home, tmp_path)
        severities = {row["check"]: row["severity"] for row in json.loads((tmp_path / "doctor.json").read_text())}
        # What a person gets with the demo is in order but for the daemon, which `whalefall up` starts.
        assert severities.pop("daemon") == "problem"
        assert set(severities.values()) == {"ok"}, severities
    finally:
        run_commands("whalefall demo --stop", home, tmp_path)


@pytest.mark.process
@pytest.mark.parametrize("block", [1, 2, 3], ids=["own servers", "the maintenance of months", "what else expires"])
def test_what_is_shown_runs_as_shown(block: int, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(blocks("yaml")[0])
    home = tmp_path / "home"
    try:
        run_commands("whalefall store migrate\n" + blocks("sh")[block], home, tmp_path)
    finally:
        run_commands("whalefall store stop", home, tmp_path)


def test_every_variable_is_in_the_table_and_none_other() -> None:
    shown = {row[0].strip("`") for row in table_under("| variable | default |")}
    read = set(re.findall(r'"(WHALEFALL_\w+)"', (PACKAGE / "settings.py").read_text()))
    assert shown == read


def test_the_defaults_in_the_table_are_those_of_the_code(tmp_path: Path) -> None:
    shown = {row[0].strip("`"): row[1].strip("`") for row in table_under("| variable | default |")}
    configured = load_settings({"WHALEFALL_HOME": str(tmp_path)})
    assert (shown["WHALEFALL_TIMEZONE"], configured.requested_timezone) == ("the machine's zone", None)
    assert shown["WHALEFALL_START_DATE"] == str(configured.start_date)
    for name in (
        "GRACE_HOURS",
        "MAX_GAP_DAYS",
        "JUMP_PERCENT",
        "JUMP_GIGABYTES",
        "PARALLEL_INSTANCES",
        "CONNECT_TIMEOUT_SECONDS",
        "STATEMENT_TIMEOUT_SECONDS",
        "INSTANCE_TIMEOUT_SECONDS",
    ):
        assert shown[f"WHALEFALL_{name}"] == str(getattr(configured, name.lower()))
    assert (shown["WHALEFALL_ORACLE_AWR_LICENSED"] == "yes") is configured.oracle_awr_licensed
    for name in (
        "PARTITIONS_AHEAD",
        "RETENTION_MONTHS",
        "AGGREGATION_RETENTION_MONTHS",
        "SESSION_RETENTION_DAYS",
        "EVENT_RETENTION_DAYS",
        "EXPIRE_AT_MOST",
    ):
        assert shown[f"WHALEFALL_{name}"] == str(getattr(configured, name.lower()))


def test_the_grid_names_rooms_that_exist() -> None:
    rows = table_under("| room | what is in it |")
    rooms = {name for row in rows for name in re.findall(r"`(\w+)/`", row[0])}
    assert rooms == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    for row in rows:
        for name in re.findall(r"`([\w/]+)\.py`", row[1]):
            assert any((PACKAGE / room / f"{name}.py").exists() for room in re.findall(r"`(\w+)/`", row[0])), name


def test_the_targets_of_make_are_those_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"`make ([\w-]+)`|^make ([\w-]+)", README, re.MULTILINE))
    assert {first or second for first, second in named} == {"run", "test", "test-faults", "lint", "bench"}
    for first, second in named:
        assert re.search(rf"^{first or second}:", makefile, re.MULTILINE)


def test_what_happens_when_is_the_fault_matrix() -> None:
    assert table_under(f"| {' | '.join(HEADER)} |") == rows()


def test_simulated_is_written_by_the_demo_only() -> None:
    places = [path for path in (*(ROOT / "sql").rglob("*.sql"), *PACKAGE.rglob("*.py")) if "'simulated'" in path.read_text()]
    assert {path.relative_to(ROOT).parts[:2] for path in places} <= {
        ("sql", "demo"),
        ("whalefall_pipelines", "demo"),
        ("whalefall_pipelines", "cli"),
    }
    assert {path.name for path in places if path.suffix == ".sql"} == {"insert_simulated_history.sql", "find_simulated_history.sql"}
