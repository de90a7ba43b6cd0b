"""Processes: a child that dies with its parent, a supervisor of a whole tree, a free port.

What the tree of `whalefall up` consists of is `installation/cli/up.py`; database servers are started in `local_servers/`.
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
# Linux hands out ephemeral ports from 32768 up; a server that listens below never meets an outgoing connection.
_FIRST_PORT, _LAST_PORT = 21000, 31999
_started: list[subprocess.Popen[bytes]] = []
_given_ports: set[int] = set()
_given_ports_lock = threading.Lock()
# A parent that died before the kernel was asked is not the parent any more.
_BECOME = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def dying_with_parent(command: Sequence[str], death_signal: signal.Signals) -> list[str]:
    """The command of a child that gets this signal when the thread that starts it ends, however that happens.

    It begins as util-linux's `setpriv`, which asks the kernel for the signal and becomes the program: no Python runs between fork and
    exec, where another thread's lock may be held for ever. Linux only; elsewhere the command is as it was.
    """
    if sys.platform != "linux":
        return list(command)
    setpriv = shutil.which("setpriv", path=os.defpath) or "setpriv"  # the system's, whatever the PATH is
    name = death_signal.name.removeprefix("SIG")
    return [setpriv, "--pdeathsig", name, "/bin/sh", "-c", _BECOME, "sh", str(os.getpid()), *command]


def continue_in_supervisor() -> None:
    """Go on in a child, the guard; this process, the front, stays behind, passes signals on and leaves with the guard's exit code.

    In the guard, SIGTERM, SIGINT and SIGHUP raise KeyboardInterrupt, once. It gets SIGTERM however the front ends, kill -9 included,
    and it adopts the orphans below it, so that it can end its tree to the last process. It leads a session of its own: Ctrl-C in the
    terminal reaches the front alone. Call this before any thread is started.

    Raises:
        LocalServerError: in the front, when the guard was killed; what it had started is ended.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    front = os.getpid()
    guard = os.fork()
    if guard != 0:
        _stay_in_front(guard)
    os.setsid()
    for number in _STOP_SIGNALS:
        signal.signal(number, _interrupt_once)
    if (libc := _libc()) is not None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    _adopt_orphans()
    if os.getppid() != front:
        raise KeyboardInterrupt


def _stay_in_front(guard: int) -> NoReturn:
    def pass_on(_number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(guard, signal.SIGTERM)

    _adopt_orphans()
    for number in _STOP_SIGNALS:
        # `nohup` asks for SIGHUP to be ignored; a script's `&` ignores SIGINT without being asked.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, pass_on)
    # Polled: a signal that comes just before a blocking wait would be noticed only after it.
    while (ended := os.waitpid(guard, os.WNOHANG)) == (0, 0):
        time.sleep(0.05)
    end(descendants(), seconds=3)
    exit_code = os.waitstatus_to_exitcode(ended[1])
    if exit_code < 0:
        raise LocalServerError(f"The process that watches over the others was ended by signal {-exit_code}, so they were ended too.")
    raise SystemExit(exit_code)


def ignore_stop_signals() -> None:
    """From here on nothing interrupts: the tree is being ended already."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    ignore_stop_signals()
    raise KeyboardInterrupt


def descendants() -> list[psutil.Process]:
    """Every process below this one, adopted orphans included."""
    return psutil.Process().children(recursive=True)


def next_ended_child() -> int | None:
    """The number of a child that has ended, left for its owner to collect; None when all of them run."""
    with suppress(ChildProcessError):
        child = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        return child.si_pid if child else None
    return None


def end(processes: Iterable[psutil.Process], *, seconds: float) -> None:
    """SIGTERM, and after the deadline SIGKILL. What survives even that hangs in the kernel, and is not waited for."""
    remaining = list(processes)
    for number, lock_policy in ((signal.SIGTERM, seconds), (signal.SIGKILL, 2.0)):
        send(number, remaining)
        deadline = time.monotonic() + lock_policy
        while (remaining := [process for process in remaining if is_running(process)]) and time.monotonic() < deadline:
            time.sleep(0.02)


def send(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    """Send a signal to those that still run."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def is_running(process: psutil.Process) -> bool:
    """Tell whether it still runs. A child that has ended is collected on the way, adopted ones included."""
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines of a log that say something, without their colours; none when there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16384))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    return [line.strip() for line in lines if line.strip()][-count:]


def keep_started(process: subprocess.Popen[bytes]) -> None:
    """Keep the handle of a server that runs on without us: one that is thrown away while its process lives complains when collected."""
    forget_ended()
    _started.append(process)


@atexit.register
def forget_ended() -> None:
    """Let go of the handles of servers that ended meanwhile."""
    _started[:] = [process for process in _started if process.poll() is None]


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen here now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port on which nothing listens, from a range of our own, and that this process was not given before: servers that are started at
    once do not meet. Where to begin depends on the process, so that two processes rarely do.

    Raises:
        LocalServerError: every port of the range is taken.
    """
    span = _LAST_PORT - _FIRST_PORT + 1
    start = os.getpid() * 7919
    for offset in range(span):
        port = _FIRST_PORT + (start + offset) % span
        with _given_ports_lock:
            if port not in _given_ports and is_free(port, host):
                _given_ports.add(port)
                return port
    raise LocalServerError(f"No free port from {_FIRST_PORT} to {_LAST_PORT} on {host}; end what listens there.")


def _adopt_orphans() -> None:
    """Become the parent of every orphaned descendant. Linux only; elsewhere nothing."""
    if (libc := _libc()) is not None:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
