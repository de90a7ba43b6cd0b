"""Decides whether two instances are the same server, and whether an instance is a different server than before: by their identities, or
by their addresses if they have no identity.

`identity_conflicts.py` applies this to a plan; `identify_servers.py` reads the identities and resolves host names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from whalefall_pipelines.domain.instances import Engine, ServerIdentity


@dataclass(frozen=True, slots=True)
class Answers:
    """What was learned about servers, by the name of the instance.

    `identities` has the servers that were reached (None: it has no identity), `unreached` the error of those that were not.
    `addresses` are those of a host; an unresolved host is compared as text. `moved` are the instances whose server was moved or rebuilt
    according to the user.
    """

    identities: Mapping[str, ServerIdentity | None] = field(default_factory=dict[str, ServerIdentity | None])
    unreached: Mapping[str, str] = field(default_factory=dict[str, str])
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    moved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Server:
    """What distinguishes one server from another. `service` is the Oracle service, because many share an address.

    `is_replica` was set by a user: the server may look like another one.
    """

    name: str
    engine: Engine
    addresses: frozenset[str]
    port: int
    service: str | None = None
    identity: ServerIdentity | None = None
    is_replica: bool = False


class Comparison(Enum):
    """Whether a server is the one that an instance had until now."""

    SAME = auto()
    ANOTHER = auto()
    UNKNOWN = auto()


def is_at_same_address(server: Server, other: Server) -> bool:
    """Tell whether both have the same address, so that connecting to one is connecting to the other."""
    is_same_port = (server.engine, server.port, server.service) == (other.engine, other.port, other.service)
    return is_same_port and not server.addresses.isdisjoint(other.addresses)


def is_same_server(server: Server, other: Server) -> bool:
    """Tell whether two instances would count the same databases twice.

    Servers with the same identity are distinguished by their start times, like a primary and its physical replica. If both have the same
    address, the server may have been restarted between the two probes.
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
    """Compare the server that an instance had with the planned one.

    `is_asked` tells whether the planned server was reached. If not, its next probe compares it, provided that the instance has an identity.
    """
    if before.identity and now.identity:
        return Comparison.SAME if before.identity.name == now.identity.name else Comparison.ANOTHER
    if is_at_same_address(before, now) or (before.identity and not is_asked):
        return Comparison.SAME
    return Comparison.UNKNOWN


def shared_keys(server: Server) -> frozenset[tuple[str, ...]]:
    """Keys that two servers share if they may be the same one, so that only few pairs of many servers are compared."""
    by_address = {("address", server.engine, address, str(server.port)) for address in server.addresses}
    return frozenset(by_address | ({("identity", server.engine, server.identity.name)} if server.identity else set[tuple[str, ...]]()))
