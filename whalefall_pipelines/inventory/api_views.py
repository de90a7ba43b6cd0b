"""What the API takes and answers about the fleet: servers, tests of connections, and plans. Secrets are never part of an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from whalefall_pipelines.inventory.connection_test import ConnectionTest
from whalefall_pipelines.inventory.entry_change import EntryChange
from whalefall_pipelines.inventory.fleet_entries import RawEntry
from whalefall_pipelines.inventory.registration import KnownDatabase, RegisteredInstance, describe_secret


@dataclass(frozen=True, slots=True)
class InstanceView:
    """A registered server. `secret` is where its password is: env:NAME, file:PATH or encrypted, never the password itself."""

    instance_id: int
    name: str
    engine: str
    host: str
    port: int
    database: str | None
    username: str
    secret: str | None
    credential_name: str
    sslmode: str | None
    tags: Mapping[str, str]
    capacity_limit_bytes: int | None
    is_replica: bool
    zone: str | None
    is_active: bool
    server_version: str | None
    server_identity: str | None
    last_connected_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InstanceSheet:
    """A server with its databases, active and biggest first."""

    instance: InstanceView
    databases: tuple[KnownDatabase, ...]


@dataclass(frozen=True, slots=True)
class PrivilegeView:
    """What the login needs, and the statement that grants it."""

    purpose: str
    statement: str
    is_held: bool
    is_optional: bool


@dataclass(frozen=True, slots=True)
class UnmeasuredDatabase:
    """A database that could not be measured, and why."""

    database_name: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class TestedInstance:
    """The result of a connection test. Nothing but the version and the identity of the server is stored."""

    instance_id: int
    name: str
    is_fine: bool
    server_version: str | None
    connect_seconds: float | None
    visible: int | None
    hidden: int | None
    measurable: int | None
    total_bytes: int | None
    grant_to_list: str | None
    privileges: tuple[PrivilegeView, ...]
    missing: tuple[UnmeasuredDatabase, ...]


class NewInstance(BaseModel):
    """A server to register. Passwords are never sent: `secret` is `env:NAME` or `file:/PATH` on the machine that runs whalefall."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    engine: str
    host: str = Field(min_length=1, max_length=255)
    port: int | None = Field(default=None, ge=1, le=65535)
    username: str | None = None
    secret: str | None = Field(default=None, pattern=r"^(env:|file:/)")
    credential: str | None = None
    database: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None
    capacity_limit: str | None = Field(default=None, description="The size at which the server is full, such as 500GiB.")
    replica: bool = False
    zone: str | None = Field(default=None, description="The zone from which it is reached; the centre by default.")
    tags: dict[str, str] = Field(default_factory=dict)
    check_identity: bool = Field(default=True, description="Connect first, so that the same server is not registered twice.")

    def entry(self) -> RawEntry:
        """The entry as a fleet file has it: text by key."""
        values = self.model_dump(exclude_none=True, exclude={"tags", "replica", "check_identity"})
        replica = {"replica": "true"} if self.replica else {}
        return RawEntry({**{key: str(value) for key, value in values.items()}, **replica}, self.tags)


class InstanceChange(BaseModel):
    """The fields of a server to change; fields that are left out stay the same. `clear` unsets a field. `tags` replaces all tags."""

    model_config = ConfigDict(extra="forbid")

    host: str | None = Field(default=None, min_length=1, max_length=255)
    port: int | None = Field(default=None, ge=1, le=65535)
    username: str | None = Field(default=None, min_length=1, max_length=200)
    secret: str | None = Field(default=None, pattern=r"^(env:|file:/)")
    credential: str | None = None
    database: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None
    capacity_limit: str | None = Field(default=None, description="The size at which the server is full, such as 500GiB.")
    zone: str | None = Field(default=None, min_length=1, description="The zone from which it is reached, or centre.")
    tags: dict[str, str] | None = None
    clear: list[Literal["database", "sslmode", "sslrootcert", "capacity_limit"]] = Field(default_factory=list)
    is_moved: bool = Field(default=False, description="The server was moved or rebuilt: continue its history.")
    check_identity: bool = Field(default=True, description="Connect to a new address first.")

    def change_of(self, registered: RegisteredInstance) -> EntryChange:
        """The change of this server."""
        values = self.model_dump(exclude_none=True, exclude={"tags", "clear", "is_moved", "check_identity"})
        tags = registered.entry.tags if self.tags is None else self.tags
        removed = set(registered.entry.tags) - set(tags)
        return EntryChange({key: str(value) for key, value in values.items()}, self.clear, tags, removed)


class FleetImport(BaseModel):
    """A fleet file. Without `plan`, the plan is returned and nothing is done. With the digest of that plan, it is carried out."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(min_length=1, max_length=500_000, description="The text of the file.")
    form: Literal["yaml", "csv"] = "yaml"
    dry_run: bool = True
    plan: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    check_identity: bool = Field(default=True, description="Connect to new servers first, so that the same server is not registered twice.")


def instance_view(registered: RegisteredInstance) -> InstanceView:
    """What the API tells of a server."""
    entry, login = registered.entry, registered.login
    return InstanceView(
        registered.instance_id,
        entry.name,
        entry.engine,
        entry.host,
        entry.port,
        entry.database,
        login.username,
        describe_secret(login.secret),
        entry.credential_name,
        entry.sslmode,
        dict(entry.tags),
        entry.capacity_limit_bytes,
        entry.is_replica,
        entry.zone,
        registered.is_active,
        registered.server_version,
        registered.server_identity.name if registered.server_identity else None,
        registered.last_connected_at,
        registered.created_at,
    )


def tested_view(tested: ConnectionTest) -> TestedInstance:
    """What the API tells of a connection test."""
    return TestedInstance(
        tested.instance.instance_id,
        tested.instance.name,
        tested.is_fine,
        tested.server_version,
        tested.connect_seconds,
        tested.visible,
        tested.hidden,
        tested.measurable,
        tested.total_bytes,
        tested.grant_to_list,
        tuple(PrivilegeView(held.purpose, held.statement, held.is_held, held.is_optional) for held in tested.privileges),
        tuple(UnmeasuredDatabase(gap.database_name, gap.reason, gap.detail) for gap in tested.missing),
    )
