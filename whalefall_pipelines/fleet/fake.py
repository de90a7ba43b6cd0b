"""A fleet without servers, for tests and benchmarks. It implements the same Protocol and can refuse, hang, be empty, or be large."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import cast
from zoneinfo import ZoneInfo

from whalefall_pipelines.domain.accounts import AccountListing, AccountMethod, AccountPrivileges
from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize, RecoveredSize, SharedPart, Volume
from whalefall_pipelines.domain.tables import TableSizes
from whalefall_pipelines.errors import TargetError, UnreachableError
from whalefall_pipelines.fleet.probe import Deadlines, P_co, Privilege, Question


@dataclass(slots=True)
class FakeServer:
    """One server: its databases with their bytes (None: without the privilege), its accounts, and its fault if it has one.

    `delay_seconds` is the duration of a probe. With `hangs` it lasts until the deadline or an interrupt. `privileges_refusal` is an error
    between the two phases of a probe of accounts.
    """

    databases: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    refusal: TargetError | None = None
    hangs: bool = False
    delay_seconds: float = 0
    dropped_meanwhile: frozenset[str] = frozenset()
    probes: int = 0
    on_probe: Callable[["FakeServer"], None] | None = None
    history: Sequence[RecoveredSize] = ()
    identity: ServerIdentity | None = None
    native_ids: Mapping[str, str] = field(default_factory=dict[str, str])
    shared: Sequence[SharedPart] = ()
    volumes: Sequence[Volume] = ()
    notices: Mapping[str, str] = field(default_factory=dict[str, str])
    grant_to_list: str | None = None
    version: str = "Fake 1.0"
    accounts: AccountListing = field(default_factory=lambda: AccountListing((), AccountMethod.FAKE))
    account_privileges: AccountPrivileges = field(default_factory=lambda: AccountPrivileges((), ()))
    privileges_refusal: TargetError | None = None
    tables: Mapping[str, TableSizes | MissingSize] = field(default_factory=dict[str, TableSizes | MissingSize])


class FakeFleet:
    """Servers by instance name. An unknown name has no server, so its connection is refused."""

    def __init__(self, servers: Mapping[str, FakeServer], deadlines: Deadlines | None = None) -> None:
        """Serve these."""
        self.servers = dict(servers)
        self._deadlines = deadlines or Deadlines()
        self._interrupted = threading.Event()

    def connect(
        self,
        question: Question[P_co],  # noqa: ARG002 - one fake answers every question
        instance: Instance,
        login: Login,
        *,
        spent_seconds: float = 0,
    ) -> AbstractContextManager[P_co]:
        """Open a fake connection, or fail as told."""
        return cast("AbstractContextManager[P_co]", self._connect(instance, login, self._deadlines.after(spent_seconds)))

    def shut_all(self) -> None:
        """Wake whatever hangs."""
        self._interrupted.set()

    @contextmanager
    def _connect(self, instance: Instance, _login: Login, deadlines: Deadlines) -> Generator["FakeProbe"]:
        server = self.servers.get(instance.name)
        if server is None:
            raise UnreachableError(f"Nothing listens at {instance.address}.", reason=Reason.CONNECTION_REFUSED)
        server.probes += 1
        if server.on_probe:
            server.on_probe(server)
        if server.hangs or server.delay_seconds:
            is_late = server.hangs or server.delay_seconds > deadlines.instance_seconds
            seconds = deadlines.instance_seconds if is_late else server.delay_seconds
            if self._interrupted.wait(seconds):
                raise UnreachableError(f"The probe of {instance.address} was stopped.", reason=Reason.CANCELLED)
            if is_late:
                raise UnreachableError(f"{instance.address} did not answer within {seconds} s.", reason=Reason.TIMEOUT)
        if server.refusal:
            raise server.refusal
        yield FakeProbe(server)


class FakeProbe:
    """An open fake connection, which answers every question."""

    driver = "fake"

    def __init__(self, server: FakeServer) -> None:
        """Answer for this server."""
        self._server = server
        self.server_version = server.version

    def privileges(self) -> Sequence[Privilege]:
        """None is needed."""
        return ()

    def identity(self) -> ServerIdentity | None:
        """What it was told to be."""
        return self._server.identity

    def list_databases(self) -> Mapping[str, str | None]:
        """Its databases, with the identifiers that they were given."""
        return {name: self._server.native_ids.get(name) for name in self._server.databases}

    def grant_to_list(self) -> str | None:
        """What it was told to ask for."""
        return self._server.grant_to_list

    def measure_shared(self) -> Sequence[SharedPart]:
        """What it was told to have."""
        return self._server.shared

    def measure_volumes(self) -> Sequence[Volume]:
        """What it was told to be on."""
        return self._server.volumes

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Its bytes."""
        return [self._outcome(name) for name in database_names]

    def recover_sizes(
        self, database_names: Sequence[str], first_day: date, last_day: date, _timezone: ZoneInfo, /
    ) -> Sequence[RecoveredSize]:
        """What its history has of these databases and days."""
        return [size for size in self._server.history if size.database_name in database_names and first_day <= size.stat_date <= last_day]

    def list_accounts(self) -> AccountListing:
        """Its accounts."""
        return self._server.accounts

    def read_privileges(self, _listing: AccountListing, /) -> AccountPrivileges:
        """Its memberships and privileges, or the refusal."""
        if self._server.privileges_refusal:
            raise self._server.privileges_refusal
        return self._server.account_privileges

    def measure_tables(self, database_name: str, _at_most: int) -> TableSizes | MissingSize:
        """The tables that it was told to have."""
        absent = MissingSize(database_name, Reason.VANISHED, "the server has no database of this name")
        return self._server.tables.get(database_name, absent)

    def _outcome(self, name: str) -> DatabaseSize | MissingSize:
        size = self._server.databases[name]
        if name in self._server.dropped_meanwhile:
            return MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")
        if size is None:
            return MissingSize(name, Reason.NO_PERMISSION, "GRANT pg_monitor TO monitor;")
        return DatabaseSize(name, total_bytes=size, data_bytes=size, method=Method.PG_DATABASE_SIZE, notice=self._server.notices.get(name))
