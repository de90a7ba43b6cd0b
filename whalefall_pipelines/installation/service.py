"""The systemd unit that runs `whalefall up`: its text, where it is, and which units serve a home. systemd itself is called by people."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SYSTEM_UNITS = Path("/etc/systemd/system")
# Variables for the service alone, such as passwords for env: secrets. systemd reads it if it is there.
ENVIRONMENT_FILE = "service.env"


@dataclass(frozen=True, slots=True)
class Service:
    """One unit. `user` runs a unit of the system; None is a unit of the user who installs it."""

    program: Path
    home: Path
    port: int
    user: str | None = None

    @property
    def text(self) -> str:
        """The unit file. Stopping it ends the launcher, which ends the rest in order."""
        lines = [
            "[Unit]",
            "Description=whalefall: the size of every database, day by day",
            "Wants=network-online.target",
            "After=network-online.target",
            "",
            "[Service]",
            f"Environment={_quoted(f'WHALEFALL_HOME={self.home}')}",
            f"EnvironmentFile=-{_escaped(str(self.home / ENVIRONMENT_FILE))}",
            f"ExecStart={_quoted(str(self.program))} up --port {self.port}",
            *([f"User={self.user}"] if self.user else []),
            "Restart=on-failure",
            "RestartSec=10",
            "KillMode=mixed",
            "TimeoutStopSec=30",
            "",
            "[Install]",
            f"WantedBy={'multi-user.target' if self.user else 'default.target'}",
        ]
        return "\n".join(lines) + "\n"

    @property
    def start_command(self) -> str:
        """What makes systemd run it."""
        systemctl = "systemctl" if self.user else "systemctl --user"
        return f"{systemctl} daemon-reload && {systemctl} enable --now whalefall"


def unit_file(environment: Mapping[str, str], *, is_system: bool) -> Path:
    """Where the unit belongs."""
    return (_SYSTEM_UNITS if is_system else _user_units(environment)) / "whalefall.service"


def units_of(home: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The unit files that serve a home, of the user and of the system."""
    files = [unit_file(environment, is_system=is_system) for is_system in (False, True)]
    line = f"Environment={_quoted(f'WHALEFALL_HOME={home}')}"
    return tuple(file for file in files if file.is_file() and line in file.read_text(encoding="utf-8", errors="replace").splitlines())


def _user_units(environment: Mapping[str, str]) -> Path:
    named = environment.get("XDG_CONFIG_HOME", "")
    folder = Path(named) if Path(named).is_absolute() else Path.home() / ".config"
    return folder / "systemd" / "user"


def _quoted(text: str) -> str:
    escaped = _escaped(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    return text.replace("%", "%%")  # which begins a specifier of systemd
