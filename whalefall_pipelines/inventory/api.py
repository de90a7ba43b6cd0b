"""The routes of the fleet: list, show, register, change, import, test, enable, disable and remove servers."""

from collections.abc import Collection
from typing import Annotated

from fastapi import Query

from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.filters import FleetOf, InstanceId
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import Services, ServicesOf
from whalefall_pipelines.inventory import register_instances, switch_instances
from whalefall_pipelines.inventory.api_views import (
    FleetImport,
    InstanceChange,
    InstanceSheet,
    InstanceView,
    NewInstance,
    TestedInstance,
    instance_view,
    tested_view,
)
from whalefall_pipelines.inventory.connection_test import server_tester
from whalefall_pipelines.inventory.fleet import count_instances, registered_instance, select_instances, show_instance
from whalefall_pipelines.inventory.identify_servers import Identify, server_identifier
from whalefall_pipelines.inventory.import_fleet import FleetPlan, carry_out_import, plan_import
from whalefall_pipelines.inventory.register_instances import add_instance

ROUTES = Routes("instances")


@ROUTES.get("/instances")
def list_instances(
    services: ServicesOf,
    fleet: FleetOf,
    paging: PagingOf,
    is_active: Annotated[bool | None, Query(description="Only enabled or only disabled servers.")] = None,
) -> Page[InstanceView]:
    """List the registered servers in the order in which they were registered."""
    after = paging.after_values("after_id")["after_id"]
    chosen = select_instances(services.reader, fleet, is_active=is_active, after_id=after, limits=paging.parameters)
    total = count_instances(services.reader, fleet, is_active=is_active) if paging.wants_total else None
    return paging.page_of(tuple(map(instance_view, chosen)), "instance_id", total=total)


@ROUTES.get("/instances/{instance_id}")
def get_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceSheet:
    """Show a server and its databases."""
    registered, databases = show_instance(services.reader, registered_instance(services.reader, instance_id).entry.name)
    return InstanceSheet(instance_view(registered), databases)


@ROUTES.post("/instances", Scope.ADMIN, status=201)
def create_instance(services: ServicesOf, body: NewInstance) -> Reply[InstanceView]:
    """Register a server. Its identity is checked first. A server that cannot be reached is registered as well, and its first probe
    checks its identity."""
    identify = _identify(services, (), is_offline=not body.check_identity)
    planned = add_instance(services.settings, services.writer, body.entry(), None, identify)
    registered, _ = show_instance(services.writer, planned.entry.name)
    return Reply(instance_view(registered), "registered", 201, {"Location": f"/api/v1/instances/{registered.instance_id}"})


@ROUTES.post("/instances/actions/import", Scope.ADMIN, problems=(412,))
def import_instances(services: ServicesOf, body: FleetImport) -> FleetPlan:
    """Plan how a fleet file changes the fleet, or carry out a plan that was returned before."""
    identify, name = _identify(services, (), is_offline=not body.check_identity), f"fleet.{body.form}"
    if body.plan is None or body.dry_run:
        return plan_import(services.settings, services.writer, body.file, name, identify)
    return carry_out_import(services.settings, services.writer, body.file, name, identify, digest=body.plan)


@ROUTES.patch("/instances/{instance_id}", Scope.ADMIN)
def change_instance(services: ServicesOf, instance_id: InstanceId, body: InstanceChange) -> InstanceView:
    """Change fields of a server. Another address is checked first: a different server is refused unless it was moved."""
    registered = registered_instance(services.writer, instance_id)
    name = registered.entry.name
    identify = _identify(services, [name] if body.is_moved else (), is_offline=not body.check_identity)
    register_instances.change_instance(services.settings, services.writer, name, body.change_of(registered), identify)
    return instance_view(registered_instance(services.writer, instance_id))


@ROUTES.post("/instances/{instance_id}/actions/test")
def test_instance(services: ServicesOf, instance_id: InstanceId) -> TestedInstance:
    """Test the connection to a server: what can be listed and measured, and which privileges are missing."""
    registered = registered_instance(services.writer, instance_id)
    (tested,) = server_tester(services.settings, services.writer, services.fleet).test_all([registered.instance])
    if tested.error is not None:
        raise tested.error
    return tested_view(tested)


@ROUTES.post("/instances/{instance_id}/actions/enable", Scope.ADMIN)
def enable_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceView:
    """Collect from a server again."""
    name = registered_instance(services.writer, instance_id).entry.name
    switch_instances.enable(services.writer, [name])
    return instance_view(registered_instance(services.writer, instance_id))


@ROUTES.post("/instances/{instance_id}/actions/disable", Scope.ADMIN)
def disable_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceView:
    """Stop collecting from a server."""
    name = registered_instance(services.writer, instance_id).entry.name
    switch_instances.disable(services.writer, [name])
    return instance_view(registered_instance(services.writer, instance_id))


@ROUTES.delete("/instances/{instance_id}", Scope.ADMIN)
def remove_instance(services: ServicesOf, instance_id: InstanceId) -> InstanceView:
    """Remove a server from the fleet. Its history is kept."""
    registered = registered_instance(services.writer, instance_id)
    switch_instances.remove_instances(services.writer, [registered.entry.name], confirmed=[registered])
    return instance_view(registered)


def _identify(services: Services, moved: Collection[str], *, is_offline: bool) -> Identify:
    """Reads the identities of servers before a plan is made."""
    return server_identifier(services.settings, moved, lambda _done, _total: None, is_offline=is_offline).identify
