"""`whalefall uninstall`: the plan first, what runs is stopped, and only what whalefall made is removed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from whalefall_pipelines.installation.uninstall import OUR_NAMES
from whalefall_pipelines.runtime.lock import lock_holder
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall
from whalefall_pipelines_tests.cli.trees import Home, eventually


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home without processes, with a folder of the user's in it, and a unit that serves it."""
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "daemon.log").write_text("x")
    (home / "settings.env").write_text("")
    (home / "secrets").mkdir()
    environment = {"WHALEFALL_HOME": str(home), "XDG_CONFIG_HOME": str(tmp_path / "config"), "WHALEFALL_DATABASE_URL": "", "PATH": ""}
    whalefall(environment, "service", "install", "--write")
    return environment


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_without_a_terminal_the_plan_is_shown_and_nothing_is_removed(environment: dict[str, str], tmp_path: Path) -> None:
    before = everything(tmp_path)
    result = whalefall(environment, "uninstall")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    home = environment["WHALEFALL_HOME"]
    unit = f"{tmp_path}/config/systemd/user/whalefall.service"
    assert result.stdout.splitlines() == [
        f"remove  {unit}",
        f"remove  {home}/logs",
        f"remove  {home}/settings.env",
        f"keep    {home}/secrets",
    ]
    assert succeed(environment, "uninstall", "--dry-run") == result.stdout
    assert everything(tmp_path) == before


def test_what_whalefall_made_is_removed_and_what_is_the_users_stays(environment: dict[str, str], tmp_path: Path) -> None:
    succeed(environment, "uninstall", "--yes")
    assert everything(tmp_path / "home") == ["secrets"]
    assert not (tmp_path / "config" / "systemd" / "user" / "whalefall.service").exists()
    (tmp_path / "home" / "secrets").rmdir()
    assert "There is no installation" in whalefall(environment, "uninstall", "--yes").stderr


def test_a_folder_that_is_no_home_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    result = whalefall({"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_DATABASE_URL": ""}, "uninstall", "--yes")
    assert "There is no installation" in result.stderr
    assert everything(tmp_path) == ["photos"]


@pytest.mark.process
def test_what_runs_is_stopped_before_it_is_removed(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home()
    home.succeed("store", "start")
    program = (
        "import sys, time; from pathlib import Path; from whalefall_pipelines.runtime.lock import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), 'whalefall up', process_id=__import__('os').getpid()): time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(home.folder / "up.lock")], env=home.environment) as holder:
        assert eventually(lambda: lock_holder(home.folder / "up.lock") == holder.pid, seconds=20)
        editor = subprocess.Popen(["sleep", "600"], cwd=home.folder)
        try:
            plan = home.succeed("uninstall", "--dry-run")
            assert "stop    postgres (process " in plan
            assert f"(process {holder.pid})" in plan
            assert "sleep" not in plan
            home.succeed("uninstall", "--yes", seconds=120)
            assert holder.wait(20) != 0
            assert editor.poll() is None
        finally:
            editor.kill()
            editor.wait(20)
    assert not home.folder.exists()
    assert [process for process in home.processes() if process.name().startswith("postgres")] == []


@pytest.mark.process
def test_every_name_that_whalefall_puts_into_a_home_is_known(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home()
    assert {path.name for path in home.folder.iterdir()} <= set(OUR_NAMES)


def test_a_question_needs_a_terminal(environment: dict[str, str]) -> None:
    assert "Remove the installation" in whalefall(environment, "uninstall").stderr
    assert refused({**environment, "WHALEFALL_GRACE_HOURS": "x"}, "uninstall")
