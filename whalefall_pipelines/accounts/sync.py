"""Reads the accounts of every instance. `sessions/collection.py` has the rounds over the fleet, the retries and the claims.

`write_snapshot.py` writes what was read. The accounts of a past day cannot be read any more: it stays not observed, and the observations
around it bound what is known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from whalefall_pipelines.accounts.snapshot import AccountSnapshot, mark_built_in
from whalefall_pipelines.accounts.write_snapshot import AccountsOutcome, write_failure, write_snapshot
from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, DatabaseFilter, Engine, Instance
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.fleet.accounts import ACCOUNTS
from whalefall_pipelines.inventory.claim_identities import refuse_another_server
from whalefall_pipelines.sessions.collection import Collection


def sync_accounts(
    collection: Collection,
    targets: Sequence[Instance],
    day: date,
    session_id: UUID | None,
    filters: Mapping[Engine, DatabaseFilter] = SYSTEM_DATABASES,
) -> Iterator[AccountsOutcome]:
    """Read the accounts of every instance, and yield each outcome as it ends. What `filters` name counts as the server's own.

    Raises:
        StoreError: the store was unavailable for too long, so that not even failures can be stored.
        SessionEndedError: the session was ended elsewhere; no further instance is started.
    """
    yield from collection.collect(targets, session_id, AccountsOfDay(collection, day, session_id, filters))


@dataclass(frozen=True, slots=True)
class AccountsOfDay:
    """Reads the accounts of one instance for a day, and writes them, or why there are none."""

    collection: Collection
    day: date
    session_id: UUID | None
    filters: Mapping[Engine, DatabaseFilter]

    def probe(self, instance: Instance, spent_seconds: float = 0) -> AccountSnapshot:
        """Read the accounts of one server and what they may do, and write nothing.

        Raises:
            TargetError: the server cannot be read, it is a different server than before, or the day is over.
        """
        self.collection.refuse_past_day(instance, self.day)
        with self.collection.connect(ACCOUNTS, instance, spent_seconds=spent_seconds) as probe:
            refuse_another_server(instance, probe.identity(), probe.server_version)
            listing = mark_built_in(probe.list_accounts(), self.filters[instance.engine].accounts)
            return AccountSnapshot(listing, probe.read_privileges(listing), self.collection.clock(), probe.server_version)

    def write(self, instance: Instance, snapshot: AccountSnapshot, seconds: float) -> AccountsOutcome:
        """Write the observation, and complete the record."""
        return write_snapshot(self.collection.database, instance, self.day, self.session_id, snapshot, seconds=seconds)

    def write_failure(self, instance: Instance, error: WhalefallError, seconds: float) -> AccountsOutcome:
        """Write the gap of the instance and its reason, and fail the record."""
        return write_failure(self.collection.database, instance, self.day, self.session_id, error, seconds=seconds)
