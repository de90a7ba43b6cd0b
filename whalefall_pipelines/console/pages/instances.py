"""All registered servers."""

from whalefall_pipelines.console.actions import fleet
from whalefall_pipelines.console.blocks import Forms, Page, Table, instant, size, text, yes_or_no
from whalefall_pipelines.console.pages.zones import zone_question
from whalefall_pipelines.console.urls import server_url, zone_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.zones import name_of
from whalefall_pipelines.inventory.fleet import registered_instances
from whalefall_pipelines.store.database import Database


def instances_page(database: Database, zone: str | None) -> Page:
    """The registered servers, of all zones or of one; a credential shows its name, never its secret."""
    everywhere = registered_instances(database)
    registered = [instance for instance in everywhere if not zone or name_of(instance.entry.zone) == zone]
    active = sum(instance.is_active for instance in registered)
    table = Table(
        "instances",
        "Servers",
        ("Server", "Engine", "Address", "Zone", "Version", "Limit", "Credential", "Tags", "Active", "Last connected"),
        [
            (
                text(instance.entry.name, server_url(instance.entry.name)),
                text(instance.entry.engine),
                text(f"{instance.entry.host}:{instance.entry.port}"),
                text(name_of(instance.entry.zone), zone_url(instance.entry.zone)),
                text(instance.server_version),
                size(instance.entry.capacity_limit_bytes),
                text(instance.login.name),
                text(", ".join(f"{key}={value}" for key, value in sorted(instance.entry.tags.items())) or None),
                yes_or_no(instance.is_active),
                instant(instance.last_connected_at, database.timezone),
            )
            for instance in registered
        ],
        "No server is registered. `whalefall instances add` registers one.",
    )
    known = counted(len(registered), "server is registered", "servers are registered")
    return Page(
        "Servers",
        f"{known}{f' in the zone {zone}' if zone else ''}, and {counted(active, 'is', 'are')} collected.",
        [*zone_question({instance.entry.zone for instance in everywhere}, zone), Forms([fleet.ADD.form(), fleet.IMPORT.form()]), table],
    )
