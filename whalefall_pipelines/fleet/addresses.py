"""Resolves host names to addresses within a deadline, many in parallel."""

import queue
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_address

# The common name of all addresses of this machine, because a server that listens on several of them is one server.
THIS_MACHINE = "this machine"
_PARALLEL = 32


def resolve_hosts(hosts: Iterable[str], *, seconds: float) -> Mapping[str, frozenset[str]]:
    """The addresses of each host. A host that cannot be resolved within the deadline is represented by its own name.

    After the deadline the threads are abandoned, because only the resolver's own deadline ends a lookup.
    """
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    wanted = set(hosts)
    for host in wanted:
        waiting.put(host)
    resolved: dict[str, frozenset[str]] = {}

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                host = waiting.get_nowait()
                resolved[host] = _addresses(host)

    deadline = time.monotonic() + seconds
    threads = [threading.Thread(target=work, name="resolve", daemon=True) for _ in range(min(_PARALLEL, len(wanted)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    known = dict(resolved)
    return {host: known.get(host) or frozenset({host.lower()}) for host in wanted}


def _addresses(host: str) -> frozenset[str]:
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(_canonical(str(address[0])) for *_, address in infos)


def _canonical(text: str) -> str:
    address = ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return THIS_MACHINE if address.is_loopback or _is_ours(str(address)) else str(address)


def _is_ours(address: str) -> bool:
    """Tell whether an address belongs to this machine: only then can it be bound. Binding a datagram socket has no side effects."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True
