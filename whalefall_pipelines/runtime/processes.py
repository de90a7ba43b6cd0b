"""Processes: a child that dies with its parent, a supervisor of a process tree, a free port.

`installation/cli/up.py` defines the tree of `whalefall up`; `local_servers/` starts database servers.
"""

import atexit
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from whalefall_pipelines.errors import LocalServerError

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Linux assigns ephemeral ports from 32768 on, so a server on a lower port never collides with an outgoing connection.
_FIRST_PORT, _LAST_PORT = 21000, 31999
_started: list[subprocess.Popen[bytes]] = []
_given_ports: set[int] = set()
_given_ports_lock = threading.Lock()
# Exits if the parent died before the death signal was set.
_BECOME = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def dying_with_parent(command: Sequence[str], death_signal: signal.Signals) -> list[str]:
    """The command of a child that gets this signal when the thread that started it ends for any reason.

    The command starts with util-linux's `setpriv`, which requests the signal from the kernel and then executes the program. So no Python
    code runs between fork and exec, where another thread's lock may be held forever. Linux only; elsewhere the command is unchanged.
    """
    if sys.platform != "linux":
        return list(command)
    setpriv = shutil.which("setpriv", path=os.defpath) or "setpriv"  # the system's, regardless of PATH
    name = death_signal.name.removeprefix("SIG")
    return [setpriv, "--pdeathsig", name, "/bin/sh", "-c", _BECOME, "sh", str(os.getpid()), *command]


def continue_in_supervisor() -> None:
    """Continue in a child, the supervisor. This process, the launcher, forwards signals and exits with the supervisor's exit code.

    In the supervisor, SIGTERM, SIGINT and SIGHUP raise KeyboardInterrupt, once. It gets SIGTERM when the launcher ends for any reason,
    kill -9 included, and it adopts orphaned descendants, so that it can end its whole tree. It leads its own session, so that Ctrl-C in
    the terminal reaches only the launcher. Call this before any thread is started.

    Raises:
        LocalServerError: in the launcher, if the supervisor was killed; the processes that it started are ended.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    launcher = os.getpid()
    supervisor = os.fork()
    if supervisor != 0:
        _stay_in_launcher(supervisor)
    os.setsid()
    for number in _STOP_SIGNALS:
        signal.signal(number, _interrupt_once)
    if (libc := _libc()) is not None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    _adopt_orphans()
    if os.getppid() != launcher:
        raise KeyboardInterrupt


def _stay_in_launcher(supervisor: int) -> NoReturn:
    def pass_on(_number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGTERM)

    _adopt_orphans()
    for number in _STOP_SIGNALS:
        # `nohup` makes a process ignore SIGHUP on purpose; `&` in a script makes it ignore SIGINT unintentionally.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, pass_on)
    # Polled, because a signal just before a blocking wait would be handled only after it.
    while (ended := os.waitpid(supervisor, os.WNOHANG)) == (0, 0):
        time.sleep(0.05)
    end(descendants(), seconds=3)
    exit_code = os.waitstatus_to_exitcode(ended[1])
    if exit_code < 0:
        raise LocalServerError(f"The supervisor process was killed by signal {-exit_code}, so all of its processes were ended.")
    raise SystemExit(exit_code)


def ignore_stop_signals() -> None:
    """Ignore further stop signals, because the tree is already being ended."""
    for number in _STOP_SIGNALS:
        # Not SIG_IGN: Python prints an "ignored exception" about a signal that arrived together with the first one.
        signal.signal(number, _do_nothing)


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    pass


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    ignore_stop_signals()
    raise KeyboardInterrupt


def descendants() -> list[psutil.Process]:
    """Every process below this one, adopted orphans included."""
    return psutil.Process().children(recursive=True)


def next_ended_child() -> int | None:
    """The process id of a child that has ended, without reaping it; None if all children are running."""
    with suppress(ChildProcessError):
        child = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        return child.si_pid if child else None
    return None


def end(processes: Iterable[psutil.Process], *, seconds: float) -> None:
    """Send SIGTERM, and SIGKILL after the deadline. A process that survives that hangs in the kernel and is not waited for."""
    remaining = list(processes)
    for number, lock_policy in ((signal.SIGTERM, seconds), (signal.SIGKILL, 2.0)):
        send(number, remaining)
        deadline = time.monotonic() + lock_policy
        while (remaining := [process for process in remaining if is_running(process)]) and time.monotonic() < deadline:
            time.sleep(0.02)


def end_process(process_id: int, *, seconds: float = 30) -> None:
    """The same for one process by its id, if it is still there."""
    with suppress(psutil.NoSuchProcess):
        end([psutil.Process(process_id)], seconds=seconds)


def send(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    """Send a signal to the processes that are still running."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def is_running(process: psutil.Process) -> bool:
    """Tell whether a process is still running. A child that has ended is reaped, even if it was adopted."""
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def last_lines(log: Path, count: int) -> list[str]:
    """The last non-empty lines of a log, without colour codes; empty if there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16384))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    return [line.strip() for line in lines if line.strip()][-count:]


def keep_started(process: subprocess.Popen[bytes]) -> None:
    """Keep the handle of a server that continues to run. Python warns if the handle of a running process is garbage-collected."""
    forget_ended()
    _started.append(process)


@atexit.register
def forget_ended() -> None:
    """Drop the handles of servers that have ended."""
    _started[:] = [process for process in _started if process.poll() is None]


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A free port from our own range that was not returned to this process before, so that servers that start in parallel do not collide.
    The search starts at a port that depends on the process, so that two processes rarely collide.

    Raises:
        LocalServerError: every port of the range is in use.
    """
    span = _LAST_PORT - _FIRST_PORT + 1
    start = os.getpid() * 7919
    for offset in range(span):
        port = _FIRST_PORT + (start + offset) % span
        with _given_ports_lock:
            if port not in _given_ports and is_free(port, host):
                _given_ports.add(port)
                return port
    raise LocalServerError(f"No free port from {_FIRST_PORT} to {_LAST_PORT} on {host}; stop a program that listens there.")


def _adopt_orphans() -> None:
    """Become the parent of every orphaned descendant. Linux only; elsewhere nothing."""
    if (libc := _libc()) is not None:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
