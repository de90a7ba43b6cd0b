"""When two instances are one server, and when one instance is another server than before: by what servers call themselves, and by their
addresses where they do not.

What is made of it in a plan is `identity_conflicts.py`; asking and resolving names is `inventory/identify_servers.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from whalefall_pipelines.domain.instances import Engine, ServerIdentity


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of servers beyond what is registered, by the name of the instance.

    `identities` has the servers that were reached (None: it does not tell who it is), `unreached` the reason of those that were asked
    in vain. `addresses` are those of a host; a host that is not there counts as written. `moved` are instances of which a person says
    that their server was moved or rebuilt.
    """

    identities: Mapping[str, ServerIdentity | None] = field(default_factory=dict[str, ServerIdentity | None])
    unreached: Mapping[str, str] = field(default_factory=dict[str, str])
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    moved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Server:
    """What tells one server from another. `service` is that of an Oracle, of which many are at one address.

    `is_replica` is a person's word: it may look like another one.
    """

    name: str
    engine: Engine
    addresses: frozenset[str]
    port: int
    service: str | None = None
    identity: ServerIdentity | None = None
    is_replica: bool = False


class Comparison(Enum):
    """Whether a server is the one that an instance was until now."""

    SAME = auto()
    ANOTHER = auto()
    UNKNOWN = auto()


def is_at_same_address(server: Server, other: Server) -> bool:
    """Tell whether connecting to the one is connecting to the other."""
    is_same_port = (server.engine, server.port, server.service) == (other.engine, other.port, other.service)
    return is_same_port and not server.addresses.isdisjoint(other.addresses)


def is_same_server(server: Server, other: Server) -> bool:
    """Tell whether two instances would count the same databases twice.

    Servers with one identity are told apart by their starts, as a primary and its physical replica are. Of two at one address one may
    have been started anew since it was asked.
    """
    if server.engine is not other.engine or server.is_replica or other.is_replica:
        return False
    if server.identity is None or other.identity is None:
        return is_at_same_address(server, other)
    if server.identity.name != other.identity.name:
        return False
    if None not in {server.identity.started_at, other.identity.started_at}:
        return server.identity.started_at == other.identity.started_at or is_at_same_address(server, other)
    return not (server.identity.is_replica or other.identity.is_replica) or is_at_same_address(server, other)


def compare_with_before(before: Server, now: Server, *, is_asked: bool) -> Comparison:
    """Compare the server that an instance was with the one that it is to be.

    `is_asked` tells whether that one was reached. One that was not is compared by its next visit, if the instance has an identity.
    """
    if before.identity and now.identity:
        return Comparison.SAME if before.identity.name == now.identity.name else Comparison.ANOTHER
    if is_at_same_address(before, now) or (before.identity and not is_asked):
        return Comparison.SAME
    return Comparison.UNKNOWN


def shared_keys(server: Server) -> frozenset[tuple[str, ...]]:
    """Keys of which two servers have none in common unless they may be one: to compare few pairs of many servers."""
    by_address = {("address", server.engine, address, str(server.port)) for address in server.addresses}
    return frozenset(by_address | ({("identity", server.engine, server.identity.name)} if server.identity else set[tuple[str, ...]]()))
