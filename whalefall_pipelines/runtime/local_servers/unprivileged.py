"""As whom a PostgreSQL runs when we are root, which it refuses: its files' owner, a user namespace of its own, or `nobody`.

What it runs is `postgresql.py`. A plain user runs it as himself.
"""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

# The one uid besides root's that has a name on every Linux; PostgreSQL wants a name.
NOBODY = 65534


class Credentials(TypedDict, total=False):
    """The part of `subprocess.Popen`'s arguments that changes the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class RunAs:
    """A command prefix that changes the user, or a uid and gid to change to; neither for a plain user."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    @property
    def credentials(self) -> Credentials:
        """What `subprocess.Popen` is given."""
        return {} if self.uid is None or self.gid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    @property
    def advice(self) -> str:
        """What a server that runs as another user needs, to be said when it did not get it."""
        if self.uid is None:
            return ""
        return (
            " PostgreSQL refuses to run as root, and user namespaces are not allowed here, so it runs as another user: "
            "its binaries and WHALEFALL_HOME must be where that user may look, not under a private home folder."
        )

    def own(self, paths: Iterable[Path]) -> None:
        """Give these files to that user, where it is another one."""
        if self.uid is not None and self.gid is not None:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def run_as(data: Path) -> RunAs:
    """As whom to run the server whose files are, or will be, in `data`.

    Files that already belong to somebody stay his: `sudo` once does not take a user's store away.
    """
    if os.geteuid() != 0:
        return RunAs()
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return RunAs(uid=owner.st_uid, gid=owner.st_gid)
    return RunAs(prefix=prefix) if (prefix := _namespace()) else RunAs(uid=NOBODY, gid=NOBODY)


@cache
def _namespace() -> tuple[str, ...]:
    """Runs a program under another uid while its files stay root's; empty where the kernel forbids it or `unshare` is missing."""
    prefix = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return prefix if works.returncode == 0 else ()
