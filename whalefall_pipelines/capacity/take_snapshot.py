"""Reads the databases of one server and their sizes. `write_snapshot.py` writes the result, `collect.py` decides when and how often."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from whalefall_pipelines.capacity.write_snapshot import Snapshot
from whalefall_pipelines.clock import Clock
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.probe import Fleet
from whalefall_pipelines.fleet.sizes import SIZES, SizesProbe
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.inventory.take_inventory import Listing
from whalefall_pipelines.store.credentials import SecretBox


@dataclass(frozen=True, slots=True)
class Servers:
    """The monitored servers: the connections to them, their logins, and the databases that each engine hides."""

    fleet: Fleet
    secrets: SecretBox
    filters: Mapping[Engine, DatabaseFilter]

    def connect(self, instance: Instance, *, spent_seconds: float = 0) -> AbstractContextManager[SizesProbe]:
        """Open one connection with the login of the instance. `spent_seconds` counts against its deadline."""
        login = self.secrets.reveal(instance.secret, instance.username, instance.name)
        return self.fleet.connect(SIZES, instance, login, spent_seconds=spent_seconds)


def take_snapshot(
    servers: Servers, instance: Instance, clock: Clock, *, inventory_only: bool = False, spent_seconds: float = 0
) -> Snapshot:
    """List the databases of one server and measure them, or with `inventory_only` list them only.

    Raises:
        TargetError: the server cannot be probed, or it is a different server than before.
    """
    with servers.connect(instance, spent_seconds=spent_seconds) as probe:
        identity = probe.identity()
        refuse_another_server(instance, identity, probe.server_version)
        present = probe.list_databases()
        rule = servers.filters[instance.engine]
        listed = {name: native_id for name, native_id in present.items() if not rule.hides(name)}
        hidden = tuple(name for name in present if rule.hides(name))
        grant = probe.grant_to_list()
        if grant and not listed:
            raise SizesError(f"{instance.name!r} shows this login no database; run on that server: {grant}", reason=Reason.NO_PERMISSION)
        listing = Listing(probe.server_version, identity, listed, hidden, clock(), grant)
        if inventory_only or not listed:
            return Snapshot(listing, (), is_inventory_only=inventory_only)
        # The server's own databases are in its remainder, so that both together are the disk. What a person hides is not measured.
        own = instance.engine.system_databases.intersection(hidden)
        outcomes = _measure(probe, instance, [*listed, *sorted(own)])
        return Snapshot(
            listing,
            tuple(outcome for outcome in outcomes if outcome.database_name not in own),
            shared_bytes=_remainder(probe, outcomes, own),
        )


def _measure(probe: SizesProbe, instance: Instance, names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
    try:
        return probe.measure(names)
    except ValueError as error:
        raise SizesError(f"{instance.name!r} returned an impossible size: {error}", reason=Reason.SERVER_ERROR) from error


def _remainder(probe: SizesProbe, outcomes: Sequence[DatabaseSize | MissingSize], own: Collection[str]) -> int | None:
    """The bytes on the server's disk that belong to no database that counts; None if they are unknown."""
    shared_bytes = probe.measure_shared()
    if shared_bytes is None:
        return None
    return shared_bytes + sum(
        outcome.total_bytes for outcome in outcomes if isinstance(outcome, DatabaseSize) and outcome.database_name in own
    )
