"""Finds the home of the installation that a command belongs to: the folder with its embedded store, its logs, key and `settings.env`.

`docs/reference/home.md` has the same order for users. Nothing is created here.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from whalefall_pipelines.errors import InputError

MARK, HOME_BESIDE = "whalefall.toml", ".whalefall"
_OF_ROOT = Path("/var/lib/whalefall")


def find_home(variables: Mapping[str, str], folder: Path | None = None) -> Path:
    """The home: WHALEFALL_HOME, or the nearest one from this folder upwards, or the data folder of the user, which may not exist yet.

    Raises:
        InputError: a `whalefall.toml` cannot be read.
    """
    named = variables.get("WHALEFALL_HOME")
    if named:
        return Path(named).expanduser().absolute()
    here = folder or Path.cwd()
    for candidate in (here, *here.parents):
        if _is_ours(candidate / MARK) and (candidate / MARK).is_file():
            return candidate / _marked_home(candidate / MARK)
        if _is_ours(candidate / HOME_BESIDE) and (candidate / HOME_BESIDE).is_dir():
            return candidate / HOME_BESIDE
    return _data_folder(variables)


def _is_ours(path: Path) -> bool:
    """Whether it is there and belongs to this user or root. Anybody could leave one in a folder that all users share, such as /tmp."""
    with suppress(OSError):
        return path.stat().st_uid in {os.geteuid(), 0}
    return False


def _marked_home(mark: Path) -> Path:
    """The home that a `whalefall.toml` names, relative to it."""
    import tomllib  # noqa: PLC0415 - few commands run beside such a file

    try:
        document = tomllib.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{mark} cannot be read: {error}.") from error
    home = document.pop("home", HOME_BESIDE)
    if document or not isinstance(home, str) or not home:
        raise InputError(f'{mark} may only have the key home, a folder, like home = "{HOME_BESIDE}".')
    return Path(home).expanduser()


def _data_folder(variables: Mapping[str, str]) -> Path:
    """Where users keep data of programs. The embedded store of root runs as another user, who cannot enter the home folder of root."""
    if os.geteuid() == 0:
        return _OF_ROOT
    named = variables.get("XDG_DATA_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share") / "whalefall"
