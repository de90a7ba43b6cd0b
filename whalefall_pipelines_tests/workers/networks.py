"""Zones as network namespaces: one link leads from each to the centre, and behind it is an address that the centre has no route to.

A thread enters a namespace for good, so everything that it starts, and every connection that it makes, is inside. Root is required.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

P = ParamSpec("P")
Result = TypeVar("Result")
_CLONE_NEWNET = 0x40000000
_NUMBERS = range(1, 255)


@dataclass(frozen=True, slots=True)
class Network:
    """One namespace. `centre` is the address at which it reaches the centre; `inside` is an address that only it knows."""

    namespace: str
    link: str
    centre: str
    inside: str
    keeper: ThreadPoolExecutor

    def do(self, work: Callable[P, Result], *arguments: P.args, **options: P.kwargs) -> Result:
        """Do this inside. What it starts with its parent ends with the namespace."""
        return self.keeper.submit(work, *arguments, **options).result()

    @contextmanager
    def cut_off(self) -> Generator[None]:
        """For the block the link loses every packet, in silence."""
        _ip("link", "set", self.link, "down")
        try:
            yield
        finally:
            _ip("link", "set", self.link, "up")


@contextmanager
def network() -> Generator[Network]:
    """A namespace for the block."""
    number = _claim_number()
    namespace, link = _name(number), f"wf{number}"
    centre, outside, inside = f"10.231.{number}.1", f"10.231.{number}.2", f"10.232.{number}.1"
    try:
        _ip("link", "add", link, "type", "veth", "peer", "name", "uplink", "netns", namespace)
        _ip("address", "add", f"{centre}/30", "dev", link)
        _ip("link", "set", link, "up")
        for command in (
            ("address", "add", f"{outside}/30", "dev", "uplink"),
            ("address", "add", f"{inside}/32", "dev", "lo"),
            ("link", "set", "uplink", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", namespace, *command)
        with ThreadPoolExecutor(1) as keeper:
            keeper.submit(_enter, namespace).result()
            yield Network(namespace, link, centre, inside, keeper)
    finally:
        _ip("netns", "delete", namespace)


def require_networks() -> None:
    """Skip a test where namespaces cannot be had."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and `ip`: apt-get install iproute2")
    try:
        with network():
            return
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this machine forbids network namespaces: {error}")


def _claim_number() -> int:
    """The number of a new namespace. Two test processes may ask at the same time, and the kernel gives each name once."""
    for number in _NUMBERS:
        added = subprocess.run(["ip", "netns", "add", _name(number)], check=False, capture_output=True, timeout=30, text=True)
        if added.returncode == 0:
            return number
        if "File exists" not in added.stderr:
            raise OSError(added.stderr.strip())
    raise OSError("too many namespaces")


def _name(number: int) -> str:
    return f"whalefall-{number}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=30)


def _enter(namespace: str) -> None:
    # os.setns is there from Python 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", namespace).open("rb") as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
