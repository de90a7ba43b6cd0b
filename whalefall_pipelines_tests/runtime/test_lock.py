"""One program at a time per home: the second is refused with the process that runs, and a dead one holds nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.lock import hold_lock, lock_holder
from whalefall_pipelines_tests.cli.commands import refused, whalefall
from whalefall_pipelines_tests.cli.trees import eventually


def test_the_second_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    file = tmp_path / "home" / "demo.lock"
    assert lock_holder(file) is None
    with hold_lock(file, "whalefall demo", process_id=4711):
        assert lock_holder(file) == 4711
        with (
            pytest.raises(InputError, match=r"`whalefall demo` is already running in .*home: process 4711\."),
            hold_lock(file, "whalefall demo", process_id=1),
        ):
            raise AssertionError("this block must not run")
    assert lock_holder(file) is None
    with hold_lock(file, "whalefall demo", process_id=12, place="http://127.0.0.1:3000"):
        assert file.read_text() == "http://127.0.0.1:3000, process 12"


@pytest.mark.process
def test_stopping_the_demo_ends_the_one_that_runs(tmp_path: Path) -> None:
    file = tmp_path / "home" / "demo.lock"
    program = (
        "import os, sys, time; from pathlib import Path; from whalefall_pipelines.runtime.lock import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), 'whalefall demo', process_id=os.getpid()): time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(file)]) as demo:
        assert eventually(lambda: lock_holder(file) == demo.pid, seconds=20)
        result = whalefall({"WHALEFALL_HOME": str(file.parent), "WHALEFALL_DATABASE_URL": ""}, "demo", "--stop")
        assert result.exit_code == 0, result.output
        demo.wait(20)
    assert lock_holder(file) is None


def test_a_second_demo_is_refused_and_starts_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with hold_lock(home / "demo.lock", "whalefall demo", process_id=os.getpid()):
        sentence = refused({"WHALEFALL_HOME": str(home), "WHALEFALL_DATABASE_URL": ""}, "demo")
    assert f"`whalefall demo` is already running in {home}: process {os.getpid()}." in sentence
    assert [path.name for path in home.iterdir()] == ["demo.lock"]
