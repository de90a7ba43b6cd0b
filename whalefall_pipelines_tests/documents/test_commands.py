"""Every command of an `sh` block in the documents runs as shown, in order. A line says what it exits with, else 0."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest

from whalefall_pipelines_tests.documents.pages import DOCS, README, ROOT, blocks, commands, pages_in_navigation

pytestmark = pytest.mark.process
TUTORIAL = DOCS / "tutorial" / "first-day.md"
ON_THE_DEMO = [DOCS / "howto" / name for name in ("answers.md", "tables.md", "accounts.md", "classify-accounts.md", "forecasts.md")]
SERVERS = DOCS / "howto" / "monitor-your-servers.md"


def run_commands(script: Iterable[str], home: Path, folder: Path) -> str:
    """Run commands in one environment and one folder, and return what they print."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    program = tools / "whalefall"
    program.write_text(f"#!{sys.executable}\nfrom whalefall_pipelines.cli.main import main\nmain(prog_name='whalefall')\n")
    program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WHALEFALL_", "DAGSTER_"))}
    environment |= {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "WHALEFALL_HOME": str(home)}
    printed: list[str] = []
    for command in script:
        name, _, value = command.removeprefix("export ").partition("=")
        if command.startswith("export "):
            environment[name] = value
            continue
        expected = re.search(r"# exits with (\d)$", command)
        result = subprocess.run(
            ["sh", "-c", command],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            stdin=subprocess.DEVNULL,
        )
        assert result.returncode == (int(expected.group(1)) if expected else 0), f"{command}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.stderr
        printed += [result.stdout, result.stderr]
    return "\n".join(printed)


def without_figures(output: str) -> set[str]:
    """The lines of an output that are the same on every machine: those without a size, and without numbers, identifiers and secrets."""
    output = re.sub(r"wf_[A-Za-z0-9_-]+", "wf_…", output)
    lines = [line.rstrip() for line in output.splitlines() if line.strip() and not re.search(r"\d [kMG]?B\b", line)]
    return {re.sub(r"[0-9a-f]*\d[0-9a-f.,:-]*", "#", re.sub(r"\s+", " ", line)) for line in lines}


def test_the_first_day_runs_as_shown(tmp_path: Path) -> None:
    """And so do the pages that ask about the demo's servers."""
    home = tmp_path / "home"
    start, *script, stop = commands(TUTORIAL)
    doctor = "whalefall doctor --json --no-instances > doctor.json  # exits with 1"
    try:
        printed = run_commands([start], home, tmp_path)
        (link,) = re.findall(r"^http://127\.0\.0\.1:\d+/sign-in\?link=\S+$", printed, re.MULTILINE)
        assert "Sign in" in httpx.get(link, trust_env=False).text
        asked = [command for page in ON_THE_DEMO for command in commands(page)]
        run_commands([*script, *asked, doctor, stop], home, tmp_path)
        severities = {row["check"]: row["severity"] for row in json.loads((tmp_path / "doctor.json").read_text())}
        # What a person gets with the demo is in order but for the daemon, which `whalefall up` starts.
        assert severities.pop("daemon") == "problem"
        assert set(severities.values()) == {"ok"}, severities
        with pytest.raises(httpx.ConnectError):  # the console was stopped with the demo
            httpx.get(link, trust_env=False)
    finally:
        run_commands(["whalefall demo --stop"], home, tmp_path)
    _, _, *shown = next(block for block in blocks(README, "text") if block.startswith("$ make run")).splitlines()  # two lines are make's
    assert without_figures("\n".join(line for line in shown if line != "…")) <= without_figures(printed.replace(str(home), ".whalefall"))


def test_the_pages_run_as_shown(tmp_path: Path) -> None:
    """All other pages, one after the other in one home."""
    (tmp_path / "fleet.yaml").write_text(blocks(SERVERS, "yaml")[0])
    home = tmp_path / "home"
    try:
        for page in pages_in_navigation():
            if page not in {TUTORIAL, *ON_THE_DEMO}:
                run_commands(commands(page), home, tmp_path)
    finally:
        run_commands(["whalefall store stop"], home, tmp_path)
