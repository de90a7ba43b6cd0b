"""Reads the databases of one server and their sizes. `write_snapshot.py` writes the result, `collect.py` decides when and how often."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from whalefall_pipelines.capacity.write_snapshot import Snapshot
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, SharedPart
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.sizes import SIZES, SizesProbe
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.inventory.take_inventory import Listing
from whalefall_pipelines.sessions.collection import Collection


def take_snapshot(
    collection: Collection,
    instance: Instance,
    filters: Mapping[Engine, DatabaseFilter],
    *,
    inventory_only: bool = False,
    spent_seconds: float = 0,
) -> Snapshot:
    """List the databases of one server and measure those that its filter does not hide, or with `inventory_only` list them only.

    Raises:
        TargetError: the server cannot be probed, or it is a different server than before.
    """
    with collection.connect(SIZES, instance, spent_seconds=spent_seconds) as probe:
        identity = probe.identity()
        refuse_another_server(instance, identity, probe.server_version)
        present = probe.list_databases()
        rule = filters[instance.engine]
        listed = {name: native_id for name, native_id in present.items() if not rule.hides(name)}
        hidden = tuple(name for name in present if rule.hides(name))
        grant = probe.grant_to_list()
        if grant and not listed:
            raise SizesError(f"{instance.name!r} shows this login no databases; run on that server: {grant}", reason=Reason.NO_PERMISSION)
        listing = Listing(probe.server_version, identity, listed, hidden, collection.clock(), grant)
        if inventory_only or not listed:
            return Snapshot(listing, (), is_inventory_only=inventory_only)
        # The server's own databases are in its remainder, so that both together are the disk. What a person hides is not measured.
        own = instance.engine.system_databases.intersection(hidden)
        outcomes = _measure(probe, instance, [*listed, *sorted(own)])
        return Snapshot(
            listing,
            tuple(outcome for outcome in outcomes if outcome.database_name not in own),
            shared=_remainder(probe, outcomes, own),
            volumes=tuple(probe.measure_volumes()),
        )


def _measure(probe: SizesProbe, instance: Instance, names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
    try:
        return probe.measure(names)
    except ValueError as error:
        raise SizesError(f"{instance.name!r} returned an impossible size: {error}", reason=Reason.SERVER_ERROR) from error


def _remainder(probe: SizesProbe, outcomes: Sequence[DatabaseSize | MissingSize], own: AbstractSet[str]) -> tuple[SharedPart, ...]:
    """What is on the server's disk and belongs to no database that counts; nothing if the engine tells nothing of it."""
    parts = probe.measure_shared()
    own_parts = (_part(outcome) for outcome in outcomes if outcome.database_name in own)
    return (*parts, *(part for part in own_parts if part.total_bytes != 0)) if parts else ()


def _part(outcome: DatabaseSize | MissingSize) -> SharedPart:
    if isinstance(outcome, DatabaseSize):
        return SharedPart(outcome.database_name, outcome.total_bytes)
    return SharedPart(outcome.database_name, None, outcome.detail)
