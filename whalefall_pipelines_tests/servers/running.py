"""A private server of any kind that runs for a block."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol, TypeVar


class PrivateServer(Protocol):
    """What `PostgresCluster` and `MariadbServer` have in common."""

    def start(self, *, with_parent: bool = False) -> int: ...

    def stop(self) -> bool: ...


Server = TypeVar("Server", bound=PrivateServer)


@contextmanager
def running(server: Server) -> Generator[Server]:
    """The server, running for the block; it ends with this process at the latest."""
    server.start(with_parent=True)
    try:
        yield server
    finally:
        server.stop()
