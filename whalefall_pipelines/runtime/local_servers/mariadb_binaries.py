"""Finds the installed MariaDB server: on the PATH, or where packages install it. `mariadb.py` starts it."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Debian and Fedora do not put servers on a user's PATH; Homebrew has two prefixes.
_FOLDERS = ("/usr/sbin", "/usr/libexec", "/usr/local/bin", "/opt/homebrew/opt/mariadb/bin", "/usr/local/opt/mariadb/bin")
# In this order; from 11 on the files are called mariadb_*, before mysql_*. Help texts and the `sys` schema are left out.
_SYSTEM_TABLES = ("system_tables.sql", "performance_tables.sql", "system_tables_data.sql")


@dataclass(frozen=True, slots=True)
class MariadbBinaries:
    """The server program, the folder of the SQL files that create its system tables, and its version."""

    server: Path
    share: Path
    version: str

    def system_tables(self) -> list[Path]:
        """The SQL files that create the system tables."""
        return [
            path for name in _SYSTEM_TABLES for path in (self.share / f"mariadb_{name}", self.share / f"mysql_{name}") if path.is_file()
        ]


def find() -> MariadbBinaries | None:
    """The installed server, or None. On Debian, `apt-get install --no-install-recommends mariadb-server-core` installs it."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_FOLDERS))
    program = shutil.which("mariadbd", path=path)
    if program is None:
        return None
    server = Path(program).resolve()
    try:
        result = subprocess.run([server, "--no-defaults", "--version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\d+(\.\d+)+", result.stdout)
    for folder in ("share/mariadb", "share/mysql", "share"):
        share = server.parent.parent / folder
        if version and len(MariadbBinaries(server, share, "").system_tables()) == len(_SYSTEM_TABLES):
            return MariadbBinaries(server, share, version.group())
    return None
