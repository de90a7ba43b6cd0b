"""`whalefall instances`: the registered fleet.

`register.py` has add and import, `change.py` has set and rename, `connection_test.py` has test, `accept.py` has accept.
"""

from collections.abc import Sequence

import click

from whalefall_pipelines.inventory.api_views import InstanceView
from whalefall_pipelines.inventory.cli.accept import accept
from whalefall_pipelines.inventory.cli.change import rename, set_
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.inventory.cli.connection_test import test
from whalefall_pipelines.inventory.cli.register import add, import_
from whalefall_pipelines.inventory.cli.selection import selection_options
from whalefall_pipelines.inventory.fleet import registered_instances, show_instance
from whalefall_pipelines.inventory.questions import INSTANCES
from whalefall_pipelines.inventory.registration import KnownDatabase, RegisteredInstance, describe_entry, describe_secret, describe_tags
from whalefall_pipelines.inventory.selection import Selection
from whalefall_pipelines.inventory.switch_instances import disable as disable_instances
from whalefall_pipelines.inventory.switch_instances import enable as enable_instances
from whalefall_pipelines.inventory.switch_instances import remove_instances
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import (
    Form,
    cell,
    format_bytes,
    json_option,
    list_options,
    note,
    print_json,
    print_table,
)
from whalefall_pipelines.terminal.questions import confirm

_DROPPABLE = ("renamed_from", "first_seen", "last_seen", "provenance", "listed")


@click.group()
def instances() -> None:
    """Register, show and test the monitored servers."""


@instances.command("list", cls=Asking)
@selection_options
@list_options
def list_(*, selection: Selection, form: Form) -> None:
    """List the registered servers."""
    with open_source() as source:
        listed, place = source.ask(INSTANCES), source.place
    columns = ("name", "engine", "address", "tags", "active", "version", "last_connected")
    listed = tuple(instance for instance in listed if selection.fits(instance.engine, instance.tags, instance.zone))
    columns += ("replica", "identity", "zone") if form.is_exact else ("zone",) if any(instance.zone for instance in listed) else ()
    rows = [_row(instance, is_exact=form.is_exact) for instance in listed]
    matching = f" that matches {selection}" if selection else ""
    empty = f"No instance{matching} is registered in {place}; see `whalefall instances add --help`."
    print_table(columns, rows, form=form, empty=empty, droppable=("last_connected", "version", "active", "tags", "zone", "engine"))


@instances.command()
@click.argument("name", shell_complete=complete_instance)
@json_option
def show(*, name: str, as_json: bool) -> None:
    """Show one server and its databases."""
    with open_store(load_settings()) as database:
        registered, databases = show_instance(database, name)
    if as_json:
        print_json(_document(registered, databases))
        return
    fields = {"name": name, **describe_entry(registered.entry)}
    fields |= {"username": registered.login.username, "secret": describe_secret(registered.login.secret)}
    identity = registered.server_identity
    fields |= {"identity": identity.name if identity else None, "started": identity.started_at if identity else None}
    fields |= {"active": registered.is_active, "version": registered.server_version}
    instants = {"last_connected": registered.last_connected_at, "disabled": registered.deactivated_at, "registered": registered.created_at}
    print_table(("field", "value"), [{"field": key, "value": value} for key, value in (fields | instants).items()])
    click.echo()
    rows = [
        {
            "database": known_database.database_name,
            "listed": known_database.is_active,
            "size": format_bytes(known_database.total_bytes),
            "of": known_database.stat_date,
            "provenance": known_database.provenance,
            "first_seen": known_database.first_seen_date,
            "last_seen": known_database.last_seen_date,
            "renamed_from": known_database.renamed_from,
        }
        for known_database in databases
    ]
    print_table(tuple(rows[0]) if rows else (), rows, empty="None of its databases are known yet.", droppable=_DROPPABLE)


@instances.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_instance)
def enable(*, names: Sequence[str]) -> None:
    """Collect from these servers again."""
    _set_active(names, is_active=True)


@instances.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_instance)
def disable(*, names: Sequence[str]) -> None:
    """Stop collecting from these servers.

    They stay registered, and `enable` resumes collecting.
    """
    _set_active(names, is_active=False)


@instances.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_instance)
@click.option("--yes", is_flag=True, help="Skip the confirmation. Required without a terminal.")
def remove(*, names: Sequence[str], yes: bool) -> None:
    """Remove these servers from the fleet.

    Their collected history is kept, and adding a server again continues it.
    """
    with open_store(load_settings()) as database:
        registered = registered_instances(database, names)
        shown = ", ".join(
            f"{cell(registered_instance.entry.name)} ({cell(registered_instance.instance.address)})" for registered_instance in registered
        )
        confirm(f"Remove {shown}? The collected history is kept.", is_confirmed=yes)
        remove_instances(database, names, confirmed=registered)
    note(f"Removed {', '.join(map(cell, names))}; the collected history is kept, and `whalefall instances add` continues it.")


def _set_active(names: Sequence[str], *, is_active: bool) -> None:
    word = "enabled" if is_active else "disabled"
    with open_store(load_settings()) as database:
        changed = enable_instances(database, names) if is_active else disable_instances(database, names)
    for name in dict.fromkeys(names):
        note(f"{cell(name)} {'is' if name in changed else 'was already'} {word}.")


def _row(instance: InstanceView, *, is_exact: bool) -> dict[str, object]:
    return {
        "name": instance.name,
        "engine": instance.engine,
        "address": f"{instance.host}:{instance.port}",
        "tags": dict(instance.tags) if is_exact else describe_tags(instance.tags),
        "active": instance.is_active,
        "version": instance.server_version,
        "last_connected": instance.last_connected_at,
        "replica": instance.is_replica,
        "identity": instance.server_identity,
        "zone": instance.zone,
    }


def _document(registered: RegisteredInstance, databases: Sequence[KnownDatabase]) -> dict[str, object]:
    entry = registered.entry
    return {
        "instance_id": registered.instance_id,
        "name": entry.name,
        "engine": entry.engine,
        "host": entry.host,
        "port": entry.port,
        "database": entry.database,
        "sslmode": entry.sslmode,
        "sslrootcert": entry.sslrootcert,
        "tags": dict(entry.tags),
        "credential": registered.login.name,
        "username": registered.login.username,
        "secret": describe_secret(registered.login.secret),
        "capacity_limit_bytes": entry.capacity_limit_bytes,
        "replica": entry.is_replica,
        "zone": entry.zone,
        "identity": registered.server_identity.name if registered.server_identity else None,
        "started": registered.server_identity.started_at if registered.server_identity else None,
        "active": registered.is_active,
        "version": registered.server_version,
        "last_connected": registered.last_connected_at,
        "disabled": registered.deactivated_at,
        "registered": registered.created_at,
        "databases": [
            {
                "database": each.database_name,
                "listed": each.is_active,
                "total_bytes": each.total_bytes,
                "of": each.stat_date,
                "provenance": each.provenance,
                "first_seen": each.first_seen_date,
                "last_seen": each.last_seen_date,
                "renamed_from": each.renamed_from,
            }
            for each in databases
        ],
    }


for command in (accept, add, import_, rename, set_, test):
    instances.add_command(command)
