"""Chooses the user for PostgreSQL, which refuses to run as root: the owner of its files, a user namespace, or `nobody`.

`postgresql.py` runs it. A normal user runs it as themselves.
"""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

# The only uid besides root's that has a name on every Linux. PostgreSQL requires a name.
NOBODY = 65534


class Credentials(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class RunAs:
    """A command prefix that changes the user, or a uid and gid to change to; neither for a normal user."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    @property
    def credentials(self) -> Credentials:
        """The arguments for `subprocess.Popen`."""
        return {} if self.uid is None or self.gid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    @property
    def advice(self) -> str:
        """Advice for error messages about a server that runs as another user."""
        if self.uid is None:
            return ""
        return (
            " PostgreSQL refuses to run as root, and user namespaces are not allowed here, so it runs as another user. That "
            "user must be able to read its binaries and WHALEFALL_HOME, which must not be in a private home folder."
        )

    def own(self, paths: Iterable[Path]) -> None:
        """Change the owner of these files to that user, if necessary."""
        if self.uid is not None and self.gid is not None:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def run_as(data: Path) -> RunAs:
    """Choose the user for the server whose files are, or will be, in `data`.

    Existing files keep their owner: using `sudo` once does not take over a user's store.
    """
    if os.geteuid() != 0:
        return RunAs()
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return RunAs(uid=owner.st_uid, gid=owner.st_gid)
    return RunAs(prefix=prefix) if (prefix := _namespace()) else RunAs(uid=NOBODY, gid=NOBODY)


@cache
def _namespace() -> tuple[str, ...]:
    """A prefix that runs a program under another uid while root keeps its files; empty if the kernel forbids it or `unshare` is missing."""
    prefix = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return prefix if works.returncode == 0 else ()
