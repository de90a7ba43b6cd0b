"""`whalefall service install`: a unit that serves this home, printed or written, and never over another one without a question."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines.installation.service import Service, units_of
from whalefall_pipelines_tests.cli.commands import refused, whalefall


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home with a difficult name, and a folder for units."""
    return {"WHALEFALL_HOME": str(tmp_path / "a home 100%"), "XDG_CONFIG_HOME": str(tmp_path / "config"), "WHALEFALL_DATABASE_URL": ""}


def parsed(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string(text)
    return unit


def test_a_unit_is_printed_and_nothing_is_written(environment: dict[str, str], tmp_path: Path) -> None:
    result = whalefall(environment, "service", "install", "--port", "3456")
    unit = parsed(result.stdout)
    assert unit["Service"]["Environment"] == f'"WHALEFALL_HOME={tmp_path}/a home 100%%"'
    assert unit["Service"]["ExecStart"].endswith('whalefall" up --port 3456')
    assert unit["Install"]["WantedBy"] == "default.target"
    assert "User" not in unit["Service"]
    assert "systemd/user/whalefall.service" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_unit_of_the_system_runs_as_a_user(environment: dict[str, str]) -> None:
    unit = parsed(whalefall(environment, "service", "install", "--system", "--user", "monitor").stdout)
    assert (unit["Service"]["User"], unit["Install"]["WantedBy"]) == ("monitor", "multi-user.target")


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("user", [None, "root"])
def test_systemd_understands_a_unit(environment: dict[str, str], tmp_path: Path, user: str | None) -> None:
    """Its home has a space and a percent sign in its name. Python stands in for the program, which tests do not install."""
    unit = tmp_path / "whalefall.service"
    unit.write_text(Service(Path(sys.executable), Path(environment["WHALEFALL_HOME"]), 3456, user).text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--system" if user else "--user", str(unit)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, [line for line in verified.stderr.splitlines() if "whalefall" in line]) == (0, [])


def test_a_unit_is_written_and_another_one_is_not_replaced_without_a_word(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "config" / "systemd" / "user" / "whalefall.service"
    result = whalefall(environment, "service", "install", "--write")
    assert result.exit_code == 0, result.output
    assert "systemctl --user enable --now whalefall" in result.stderr.replace("daemon-reload && ", "")
    written = file.read_text()
    assert written == whalefall(environment, "service", "install").stdout
    assert whalefall(environment, "service", "install", "--write").exit_code == 0
    assert "--yes" in refused(environment, "service", "install", "--write", "--port", "4000")
    assert file.read_text() == written
    assert whalefall(environment, "service", "install", "--write", "--port", "4000", "--yes").exit_code == 0
    assert "--port 4000" in file.read_text()


def test_a_unit_belongs_to_the_home_that_it_serves(environment: dict[str, str], tmp_path: Path) -> None:
    home = Path(environment["WHALEFALL_HOME"])
    whalefall(environment, "service", "install", "--write")
    assert [file.name for file in units_of(home, environment)] == ["whalefall.service"]
    assert units_of(home.parent / "a home", environment) == ()
    assert Service(Path("/bin/whalefall"), tmp_path, 3000).text != Service(Path("/bin/whalefall"), home, 3000).text
