"""A lock file of a home that one process holds as long as it runs, and that names it. The kernel releases it however the process ends."""

import fcntl
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from whalefall_pipelines.errors import InputError


@contextmanager
def hold_lock(file: Path, program: str, *, process_id: int, place: str = "") -> Generator[None]:
    """Allow one such program at a time per home. `process_id` is the process that ends it, `place` where it can be reached.

    Raises:
        InputError: it is already running; the message names the process.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "it is just starting"
            raise InputError(f"`{program}` is already running in {file.parent}: {holder}.") from error
        lock.truncate(0)
        lock.write(f"{place}, process {process_id}" if place else f"process {process_id}")
        lock.flush()
        yield


def lock_holder(file: Path) -> int | None:
    """The process that holds a lock; None if nobody does."""
    try:
        with file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        named = re.search(r"process (\d+)", file.read_text())
        return int(named[1]) if named else None
    except OSError:
        return None
    return None
