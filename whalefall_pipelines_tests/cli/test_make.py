"""`make run` and `make clean` in a clone while something runs there: what runs is named, or stopped before it is removed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.lock import hold_lock, lock_holder
from whalefall_pipelines_tests.cli.trees import REPOSITORY, Home, eventually

pytestmark = pytest.mark.process


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that is installed already: its `whalefall` is that of this checkout."""
    folder = tmp_path / "clone"
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    program = folder / ".venv" / "bin" / "whalefall"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from whalefall_pipelines.cli.main import main; main()" "$@"\n')
    program.chmod(0o755)
    (folder / ".venv" / "demo.installed").touch()
    return folder


def make(clone: Path, home: Home, target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-C", str(clone), target], env=home.environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_second_make_run_names_the_first_and_starts_nothing(clone: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"WHALEFALL_DATABASE_URL": ""})
    with hold_lock(home.folder / "demo.lock", "whalefall demo", process_id=os.getpid()):
        refused = make(clone, home, "run")
    assert refused.returncode != 0
    assert f"`whalefall demo` is already running in {home.folder}: process {os.getpid()}." in refused.stderr
    assert [path.name for path in home.folder.iterdir()] == ["demo.lock"]
    assert "Installing" not in refused.stdout


def test_make_clean_stops_the_demo_and_its_store_before_it_removes_them(prepared_home: Callable[..., Home], clone: Path) -> None:
    home = prepared_home()
    home.succeed("store", "start")
    lock = home.folder / "demo.lock"
    program = (
        "import os, sys, time; from pathlib import Path; from whalefall_pipelines.runtime.lock import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), 'whalefall demo', process_id=os.getpid()): time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(lock)], env=home.environment) as demo:
        assert eventually(lambda: lock_holder(lock) == demo.pid, seconds=20)
        cleaned = make(clone, home, "clean")
        assert cleaned.returncode == 0, cleaned.stderr
        demo.wait(20)
    assert home.processes() == []
    assert not (clone / ".venv").exists()
