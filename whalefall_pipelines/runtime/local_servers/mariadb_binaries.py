"""Which MariaDB server this machine offers: on the PATH, or where packages keep it. Starting one is `mariadb.py`."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Debian and Fedora keep servers off a user's PATH; Homebrew has two prefixes.
_FOLDERS = ("/usr/sbin", "/usr/libexec", "/usr/local/bin", "/opt/homebrew/opt/mariadb/bin", "/usr/local/opt/mariadb/bin")
# In this order; from 11 on the files are called mariadb_*, before mysql_*. Help texts and the `sys` schema are left out.
_SYSTEM_TABLES = ("system_tables.sql", "performance_tables.sql", "system_tables_data.sql")


@dataclass(frozen=True, slots=True)
class MariadbBinaries:
    """The server program, the folder of the statements that make its system tables, and the version it says it is."""

    server: Path
    share: Path
    version: str

    def system_tables(self) -> list[Path]:
        """The files that make the system tables."""
        return [
            path for name in _SYSTEM_TABLES for path in (self.share / f"mariadb_{name}", self.share / f"mysql_{name}") if path.is_file()
        ]


def find() -> MariadbBinaries | None:
    """What this machine offers, or None: `apt-get install --no-install-recommends mariadb-server-core` brings it on Debian."""
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
