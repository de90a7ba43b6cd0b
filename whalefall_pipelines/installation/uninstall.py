"""Removes an installation from this machine: what runs for it, the files of its home, and its systemd units. Nothing else is touched."""

import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.installation.service import units_of
from whalefall_pipelines.runtime import processes
from whalefall_pipelines.runtime.lock import lock_holder
from whalefall_pipelines.settings import Settings

# What whalefall itself puts into a home. Everything else there is the user's, such as secrets, and stays.
OUR_NAMES = ("store", "dagster", "demo", "logs", "settings.env", "service.env", "secret.key", "up.lock", "demo.lock")
LOCKS = ("up.lock", "demo.lock")
SERVERS = ("postgres", "mariadbd")
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Uninstallation:
    """What is removed: unit files, and entries of the home; what stays in it; and the processes that are ended first."""

    home: Path
    units: tuple[Path, ...]
    entries: tuple[Path, ...]
    kept: tuple[Path, ...]
    running: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.units or self.entries)


def plan_uninstallation(settings: Settings, environment: Mapping[str, str]) -> Uninstallation:
    """What an uninstallation of this home would remove."""
    home = settings.home
    entries = sorted(home.iterdir()) if home.is_dir() else []
    return Uninstallation(
        home=home,
        units=units_of(home, environment),
        entries=tuple(entry for entry in entries if entry.name in OUR_NAMES),
        kept=tuple(entry for entry in entries if entry.name not in OUR_NAMES),
        running=tuple(sorted(f"{process.name()} (process {process.pid})" for process in _roots(_running(home)))),
    )


def uninstall(planned: Uninstallation) -> None:
    """Carry out a plan. The home itself goes if nothing stays in it.

    Raises:
        LocalServerError: a process of this home does not end; nothing was removed.
    """
    for unit in planned.units:
        _disable(unit)
    _end_all(planned.home)
    for unit in planned.units:
        unit.unlink(missing_ok=True)
    for entry in planned.entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    with suppress(OSError):  # something stays in it, or it never was
        planned.home.rmdir()


def _disable(unit: Path) -> None:
    """Let systemd stop a unit and forget it. Without systemd there is nothing to stop."""
    systemctl = shutil.which("systemctl")
    if systemctl:
        scope = [] if unit.parent == Path("/etc/systemd/system") else ["--user"]
        subprocess.run([systemctl, *scope, "disable", "--now", unit.stem], capture_output=True, check=False, timeout=60)


def _end_all(home: Path) -> None:
    for holder in [holder for name in LOCKS if (holder := lock_holder(home / name)) is not None]:
        processes.end_process(holder, seconds=STOP_SECONDS)  # it ends in order what it started
    servers = _roots(_running(home))
    processes.send(signal.SIGINT, [server for server in servers if server.name().startswith("postgres")])  # does not wait for sessions
    _, remaining = psutil.wait_procs(servers, timeout=1)
    processes.end(remaining, seconds=STOP_SECONDS)
    if remaining := _running(home):
        named = ", ".join(str(process.pid) for process in remaining)
        raise LocalServerError(f"Processes of {home} do not end: {named}. End them, and run the command again. Nothing was removed.")


def _running(home: Path) -> list[psutil.Process]:
    """The database servers of this home, the processes of its runs, and what holds one of its locks."""
    holders = {lock_holder(home / name) for name in LOCKS}
    return [process for process in psutil.process_iter() if process.pid in holders or _is_of(process, home)]


def _is_of(process: psutil.Process, home: Path) -> bool:
    """Whether a process works in this home as one of our programs. A shell or an editor that was opened there is not ours."""
    with suppress(psutil.Error, OSError):
        if process.status() == psutil.STATUS_ZOMBIE or not Path(process.cwd()).is_relative_to(home.resolve()):
            return False
        if process.name().startswith(SERVERS):
            return True
        is_program = any(word in argument for argument in process.cmdline() for word in ("dagster", "whalefall"))
        return is_program and process.environ().get("WHALEFALL_HOME") == str(home)
    return False


def _roots(running: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that no other one started: a server ends its own processes."""
    ids = {process.pid for process in running}
    return [process for process in running if process.ppid() not in ids]
