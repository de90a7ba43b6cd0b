"""The routes of the fleet: list, show, register, test, enable, disable and remove servers. Secrets are never part of an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.filters import FleetOf, InstanceId
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import ServicesOf
from whalefall_pipelines.inventory import switch_instances
from whalefall_pipelines.inventory.connection_test import ConnectionTest, server_tester
from whalefall_pipelines.inventory.fleet import registered_instance, select_instances, show_instance
from whalefall_pipelines.inventory.fleet_entries import RawEntry
from whalefall_pipelines.inventory.identify_servers import server_identifier
from whalefall_pipelines.inventory.register_instances import add_instance
from whalefall_pipelines.inventory.registration import KnownDatabase, RegisteredInstance, describe_secret

ROUTES = Routes("instances")


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
    """A server to be registered. A password is never sent: `secret` is `env:NAME` or `file:/PATH` on the server of whalefall."""

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
    tags: dict[str, str] = Field(default_factory=dict)
    check_identity: bool = Field(default=True, description="Connect first, so that one server is not registered twice.")

    def entry(self) -> RawEntry:
        """The entry as a fleet file has it: text by key."""
        values = self.model_dump(exclude_none=True, exclude={"tags", "replica", "check_identity"})
        replica = {"replica": "true"} if self.replica else {}
        return RawEntry({**{key: str(value) for key, value in values.items()}, **replica}, self.tags)


@ROUTES.get("/instances")
def list_instances(
    services: ServicesOf,
    fleet: FleetOf,
    paging: PagingOf,
    is_active: Annotated[bool | None, Query(description="Only enabled or only disabled servers.")] = None,
) -> Page[InstanceView]:
    """List the registered servers in the order of their registration."""
    after = paging.after_values("after_id")["after_id"]
    chosen = select_instances(services.reader, fleet)
    views = [_view(known) for known in chosen if is_active in {None, known.is_active} and (after is None or known.instance_id > int(after))]
    return paging.page_of(views[paging.offset :][: paging.limit + 1], "instance_id", total=len(chosen) if paging.wants_total else None)


@ROUTES.get("/instances/{instance_id}")
def get_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceSheet:
    """Show a server and its databases."""
    registered, databases = show_instance(services.reader, registered_instance(services.reader, instance_id).entry.name)
    return InstanceSheet(_view(registered), databases)


@ROUTES.post("/instances", Scope.ADMIN, status=201)
def create_instance(services: ServicesOf, body: NewInstance) -> Reply[InstanceView]:
    """Register a server. Its identity is checked first; one that cannot be reached is registered, and checked by its first probe."""
    identifier = server_identifier(services.settings, (), lambda _done, _total: None, is_offline=not body.check_identity)
    planned = add_instance(services.settings, services.writer, body.entry(), None, identifier.identify)
    registered, _ = show_instance(services.writer, planned.entry.name)
    return Reply(_view(registered), "registered", 201, {"Location": f"/api/v1/instances/{registered.instance_id}"})


@ROUTES.post("/instances/{instance_id}/actions/test")
def test_instance(services: ServicesOf, instance_id: InstanceId) -> TestedInstance:
    """Test the connection to a server: what can be listed, measured, and which privileges are missing."""
    registered = registered_instance(services.writer, instance_id)
    (tested,) = server_tester(services.settings, services.writer, services.fleet).test_all([registered.instance])
    if tested.error is not None:
        raise tested.error
    return _tested(tested)


@ROUTES.post("/instances/{instance_id}/actions/enable", Scope.ADMIN)
def enable_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceView:
    """Collect from a server again."""
    name = registered_instance(services.writer, instance_id).entry.name
    switch_instances.enable(services.writer, [name])
    return _view(registered_instance(services.writer, instance_id))


@ROUTES.post("/instances/{instance_id}/actions/disable", Scope.ADMIN)
def disable_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceView:
    """Stop collecting from a server."""
    name = registered_instance(services.writer, instance_id).entry.name
    switch_instances.disable(services.writer, [name])
    return _view(registered_instance(services.writer, instance_id))


@ROUTES.delete("/instances/{instance_id}", Scope.ADMIN)
def remove_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceView:
    """Take a server out of the fleet. Its history is kept."""
    registered = registered_instance(services.writer, instance_id)
    switch_instances.remove_instances(services.writer, [registered.entry.name], confirmed=[registered])
    return _view(registered)


def _view(registered: RegisteredInstance) -> InstanceView:
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
        registered.is_active,
        registered.server_version,
        registered.server_identity.name if registered.server_identity else None,
        registered.last_connected_at,
        registered.created_at,
    )


def _tested(tested: ConnectionTest) -> TestedInstance:
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
