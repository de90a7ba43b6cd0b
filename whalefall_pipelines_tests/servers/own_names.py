"""Host names that only one thread can resolve, such as one with several addresses, which loopback does not have."""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

_NEW_MOUNTS, _BIND, _PRIVATE_TREE = 0x20000, 0x1000, 0x44000


def with_names(folder: Path, names: str, work: Callable[[], None]) -> None:
    """Run this in a thread with its own /etc/hosts. Only root can mount; otherwise the test is skipped."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a thread an /etc/hosts of its own")
    hosts = folder / "hosts"
    hosts.write_text(names)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            _mount_over_hosts(hosts)
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the thread of the test
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def _mount_over_hosts(hosts: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) != 0:
        pytest.skip("no mount namespaces here")
    for source, target, flags in ((b"none", b"/", _PRIVATE_TREE), (os.fsencode(hosts), b"/etc/hosts", _BIND)):
        if libc.mount(source, target, None, flags, None) != 0:
            raise OSError(ctypes.get_errno(), "mount", os.fsdecode(target))
