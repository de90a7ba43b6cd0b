"""Children that die with their parent, the supervisor that ends a whole tree, and free ports."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from whalefall_pipelines.runtime.processes import dying_with_parent, end, free_port, is_free, last_lines

pytestmark = pytest.mark.process

REPOSITORY = Path(__file__).parents[2]
# A supervisor of a child that leaves a grandchild behind, as a Dagster run can be; the grandchild ignores SIGTERM.
GUARDED = """
import subprocess, sys, time
from whalefall_pipelines.runtime import processes
processes.continue_in_supervisor()
ORPHAN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('orphan is there', flush=True); time.sleep(60)"
CHILD = f"import subprocess, sys; orphan = subprocess.Popen([sys.executable, '-c', {ORPHAN!r}], stdout=-1, text=True); "
CHILD += "print(orphan.stdout.readline(), flush=True)"
try:
    subprocess.run([sys.executable, "-c", CHILD])
    print("waiting", flush=True)
    if "return" in sys.argv:
        sys.exit(7)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
finally:
    processes.ignore_stop_signals()
    processes.end(processes.descendants(), seconds=0.2)
"""


def supervised(*words: str, ignoring: str | None = None) -> subprocess.Popen[str]:
    """Start the tree, optionally from a shell that ignores a signal."""
    before = ["sh", "-c", f"trap '' {ignoring}; exec \"$@\"", "sh"] if ignoring else []
    return subprocess.Popen(
        [*before, sys.executable, "-c", GUARDED, *words],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(launcher: subprocess.Popen[str], *words: str) -> None:
    assert launcher.stdout
    missing = set(words)
    while missing:
        line = launcher.stdout.readline()
        assert line, f"it ended before it said {missing}"
        missing.discard(line.strip())


def rest(launcher: subprocess.Popen[str]) -> str:
    """The remaining output until the last process of the tree ends: each of them holds this pipe open."""
    return launcher.communicate(timeout=15)[0]


def test_a_tree_ends_to_its_last_orphan_and_the_launcher_exits_with_the_supervisors_code() -> None:
    with supervised("return") as launcher:
        read_until(launcher, "orphan is there", "waiting")
        assert launcher.wait(10) == 7
        assert rest(launcher) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_to_the_launcher_ends_the_tree(number: signal.Signals) -> None:
    with supervised(ignoring="INT") as launcher:
        read_until(launcher, "orphan is there", "waiting")
        launcher.send_signal(number)
        assert launcher.wait(10) == 0
        assert rest(launcher) == "interrupted\n"


def test_signals_that_arrive_together_end_the_tree_without_a_word() -> None:
    """Ctrl-C reaches both processes, and the launcher passes it on."""
    with supervised() as launcher:
        read_until(launcher, "orphan is there", "waiting")
        (supervisor,) = psutil.Process(launcher.pid).children()
        supervisor.suspend()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            supervisor.send_signal(number)
        supervisor.resume()
        assert launcher.wait(10) == 0
        assert rest(launcher) == "interrupted\n"


def test_kill_9_of_the_launcher_ends_the_tree() -> None:
    with supervised() as launcher:
        read_until(launcher, "orphan is there", "waiting")
        launcher.kill()
        assert rest(launcher) == "interrupted\n"


def test_kill_9_of_the_supervisor_ends_the_tree_and_the_launcher_reports_it() -> None:
    with supervised() as launcher:
        read_until(launcher, "orphan is there", "waiting")
        (supervisor,) = psutil.Process(launcher.pid).children()
        supervisor.kill()
        assert launcher.wait(15) == 1  # an exception, which `whalefall` turns into a sentence and exit code 2
        assert rest(launcher).splitlines()[-1].endswith("was killed by signal 9, so all of its processes were ended.")


def test_an_ignored_hangup_stays_ignored() -> None:
    with supervised(ignoring="HUP") as launcher:
        read_until(launcher, "orphan is there", "waiting")
        launcher.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            launcher.wait(0.5)
        launcher.terminate()
        assert launcher.wait(10) == 0


def test_a_child_dies_with_its_parent() -> None:
    script = "import subprocess, sys, signal, time; from whalefall_pipelines.runtime.processes import dying_with_parent; "
    script += "subprocess.Popen(dying_with_parent(['sleep', '60'], signal.SIGTERM)); print('started', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.PIPE, text=True
    ) as parent:
        read_until(parent, "started")
        parent.kill()
        assert rest(parent) == ""


def test_a_child_whose_parent_is_gone_before_it_begins_does_not_begin(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    command = dying_with_parent(["touch", str(touched)], signal.SIGTERM)
    command[command.index(str(os.getpid()))] = "1"  # as if it had had another parent
    assert subprocess.run(command, check=False, timeout=10).returncode == 1
    assert not touched.exists()


def test_a_child_keeps_its_arguments_and_its_place() -> None:
    words = ["a b", "", "$HOME", "'", "-x"]
    script = "import os, sys; print(os.getpid(), sys.argv[1:])"
    with subprocess.Popen(
        dying_with_parent([sys.executable, "-c", script, *words], signal.SIGTERM), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.communicate(timeout=10)[0] == f"{child.pid} {words}\n"


def test_what_ignores_sigterm_is_killed_after_the_deadline() -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as stubborn:
        read_until(stubborn, "ready")
        begun = time.monotonic()
        end([psutil.Process(stubborn.pid)], seconds=0.3)
        assert 0.3 <= time.monotonic() - begun < 2
        assert not psutil.pid_exists(stubborn.pid)


def test_an_ended_child_is_named_until_it_is_collected() -> None:
    script = "from whalefall_pipelines.runtime.processes import next_ended_child; import subprocess, time\n"
    script += "assert next_ended_child() is None\nchild = subprocess.Popen(['true'])\n"
    script += "while (ended := next_ended_child()) is None: time.sleep(0.01)\n"
    script += "assert ended == child.pid == next_ended_child()\nassert child.wait() == 0\nassert next_ended_child() is None"
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=True, timeout=20)


def test_a_free_port_is_one_that_can_be_listened_on() -> None:
    port = free_port()
    assert 21000 <= port < 32000
    assert is_free(port)
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", port))  # noqa: S104 - what listens everywhere listens on loopback too
        listener.listen()
        assert not is_free(port)
        assert free_port() != port


def test_last_lines_are_without_colours_and_blank_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log, 2) == []
    log.write_bytes(b"x" * 20000 + b"\n\x1b[32mone\x1b[0m\n\ntwo \xff\n\n")
    assert last_lines(log, 2) == ["one", "two \ufffd"]


def test_ports_asked_for_at_once_are_all_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        ports = list(pool.map(lambda _: free_port(), range(200)))
    assert len(set(ports)) == len(ports)
