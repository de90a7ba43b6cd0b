"""`whalefall store`: starts, stops, shows and migrates the embedded PostgreSQL, or shows and migrates your own."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, fields

import click

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import StoreUnreachableError
from whalefall_pipelines.installation.change_timezone import TimezoneChange, change_timezone, plan_timezone
from whalefall_pipelines.installation.migrate import migrate as migrate_databases
from whalefall_pipelines.installation.migrate import migrate_dagster
from whalefall_pipelines.installation.write_roles import write_roles
from whalefall_pipelines.inventory.replace_key import replace_key
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.open_store import open_store, prepare_store
from whalefall_pipelines.runtime.store_status import StoreStatus, read_status
from whalefall_pipelines.settings import Settings, load_settings, read_timezone
from whalefall_pipelines.store.roles import StoreRoles
from whalefall_pipelines.store.urls import describe, hide_secrets, holds_secret
from whalefall_pipelines.terminal.output import PARTIAL, cell, format_bytes, json_option, leave, note, print_json
from whalefall_pipelines.terminal.progress import error_console
from whalefall_pipelines.terminal.questions import confirm

_ROLES = StoreRoles()


@click.group()
def store() -> None:
    """Start, stop, show and migrate the store.

    The store is the embedded PostgreSQL or your own (WHALEFALL_DATABASE_URL).
    """


@store.command()
def start() -> None:
    """Start the embedded store in the background.

    Its schema is migrated.
    """
    settings = load_settings()
    server = embedded.cluster(settings)
    was_running = server.process_id() is not None
    store_address = prepare_store(settings)
    click.echo(f"The store {'was already running' if was_running else 'runs'} at {describe(store_address.whalefall)}.")
    _tell_timezone(settings)


@store.command()
def stop() -> None:
    """Stop the embedded store; open transactions are rolled back."""
    stopped = embedded.cluster(load_settings()).stop()
    click.echo("The store is stopped." if stopped else "The store was not running.")


@store.command()
@json_option
def status(*, as_json: bool) -> None:
    """Show whether the store is running, and where.

    Exit codes: 0 it is running, 1 it is not.
    """
    document = _status(load_settings())
    if as_json:
        print_json(document)
    else:
        sizes = {key: value for key, value in document.items() if isinstance(value, int) and key.endswith("_bytes")}
        shown = {**document, **{key: format_bytes(value) for key, value in sizes.items()}}
        width = max(map(len, shown))
        for key, value in shown.items():
            click.echo(f"{key.replace('_', ' '):<{width}}  {cell(value)}")
    if document["state"] != "running":
        leave(PARTIAL)


@store.command()
@click.option("--database", type=click.Choice(["whalefall", "dagster"]), default="whalefall", show_default=True)
@click.option("--show-password", is_flag=True, help="Print the password of your own PostgreSQL instead of ***.")
def url(*, database: str, show_password: bool) -> None:
    """Print the store's URL for psql and other clients.

    The URL of the embedded store has no password; it refers to a password file.
    """
    settings = load_settings()
    store_address = embedded.address(settings)
    if store_address.is_embedded:
        click.echo(embedded.cluster(settings).url(database))
        return
    own = (store_address.whalefall if database == "whalefall" else store_address.dagster).set(drivername="postgresql")
    click.echo(own.render_as_string(hide_password=False) if show_password else hide_secrets(own))
    if holds_secret(own) and not show_password:
        note("The password is hidden as ***, so clients cannot log in with this URL; --show-password prints it.")


@store.command()
def migrate() -> None:
    """Migrate the schemas of whalefall and Dagster.

    Missing databases are created if the login has the privilege.
    """
    settings = load_settings()
    migrated = migrate_databases(settings)
    for name in migrated.created_databases:
        click.echo(f"Created the database {name}.")
    for name in migrated.applied_migrations:
        click.echo(f"Applied {name}.")
    note(f"Its time zone is {migrated.timezone.key}.")
    with error_console().status("Migrating Dagster's tables …"):
        migrate_dagster(settings, migrated)
    place = describe(migrated.address.whalefall)
    click.echo(f"The store at {place} is at schema version {migrated.schema_version}, and Dagster's tables are up to date.")


@store.command("set-timezone")
@click.argument("zone")
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
def set_timezone(*, zone: str, yes: bool) -> None:
    """Change the time zone of the store.

    ZONE is a name like Europe/Berlin. The effects are shown before you confirm. Stored days keep their dates.
    """
    settings = load_settings()
    timezone = read_timezone(zone, "ZONE")
    with open_store(settings.model_copy(update={"timezone": None})) as database:
        change = plan_timezone(database, timezone, system_clock())
        if change.old.key == change.new.key:
            note(f"The time zone of the store is already {zone}.")
            return
        _print_timezone(change)
        confirm(f"Change the time zone to {zone}?", is_confirmed=yes)
        change_timezone(database, change)
    note(f"The time zone of the store is {zone}. Restart `whalefall up` and Dagster's services: the store refuses the old zone.")
    if settings.timezone and settings.timezone.key != zone:
        note(f"WHALEFALL_TIMEZONE is {settings.timezone.key}: unset it, or set it to {zone}, otherwise every command is refused.")


def _print_timezone(change: TimezoneChange) -> None:
    click.echo(f"The current time zone of the store is {change.old.key}, where today is {change.old_today}.")
    click.echo(f"In {change.new.key} today is {change.new_today}.")
    if change.known_days:
        first_day, last_day = change.known_days
        click.echo(f"The stored days {first_day} to {last_day} keep their dates, which are days in {change.old.key}.")
        if change.new_today <= last_day and change.new_today < change.old_today:
            click.echo(f"{change.new_today} begins a second time, and new measurements replace the existing ones.")
        if change.new_today > change.old_today:
            click.echo(f"{change.old_today} will be over, and its missing sizes can then only be recovered or estimated.")
    click.echo(f"Schedules run at the same hours, in {change.new.key}.")


@store.command("rotate-key")
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
def rotate_key(*, yes: bool) -> None:
    """Encrypt the stored passwords with a new key.

    The key file is replaced. If you use WHALEFALL_SECRET_KEY, set it to NEW,OLD first. It is safe to interrupt and to repeat.
    """
    settings = load_settings()
    with open_store(settings) as database:
        confirm("Encrypt every stored password with a new key?", is_confirmed=yes)
        count, keys = replace_key(settings, database)
    note(f"{counted(count, 'stored password is', 'stored passwords are')} encrypted with the first key of {keys}.")
    if keys.is_file:
        note("Copy the file to every other machine that uses them. Older backups of the store need the old key.")
    else:
        note("Once everything runs with both keys, remove the old one from WHALEFALL_SECRET_KEY.")


@store.command("roles")
@click.option("--owner", default=_ROLES.owner, show_default=True, help="Role that owns and migrates the store, and registers instances.")
@click.option("--writer", default=_ROLES.writer, show_default=True, help="Role that collects; Dagster's runs log in as it.")
@click.option(
    "--reader", default=_ROLES.reader, show_default=True, help="Role that reads everything except secrets, for dashboards and psql."
)
@click.option("--web", default=_ROLES.web, show_default=True, help="Role of whalefall-web, which also registers instances.")
@click.option("--owner-keeps-months", is_flag=True, help="Never let the writer act as the owner. It then cannot create or drop months.")
@click.option("--database", type=click.Choice(["whalefall", "dagster"]), default="whalefall", show_default=True)
def write_statements(*, owner: str, writer: str, reader: str, web: str, owner_keeps_months: bool, database: str) -> None:
    """Print the SQL that separates the store's roles.

    An administrator runs the SQL; this command changes nothing. Run it again after the names or the program have changed. It contains no
    password.
    """
    settings = load_settings()
    roles = StoreRoles(owner, writer, reader, web, owner_keeps_months)
    statements, place = write_roles(settings, roles, is_dagster=database == "dagster")
    click.echo(statements)
    note(f"Run it as a superuser in {place}: psql -1 -v ON_ERROR_STOP=1. Then set passwords, in psql: \\password {writer}")


def _tell_timezone(settings: Settings) -> None:
    with closing(embedded.open_database(settings)) as database:
        note(f"Its time zone is {database.timezone.key}.")


def _status(settings: Settings) -> Mapping[str, object]:
    """The known parts of the status. An embedded store that was never started has no address."""
    server = None if settings.database_url else embedded.cluster(settings)
    unknown: dict[str, object] = {
        "state": "stopped",
        "address": None,
        **dict.fromkeys(field.name for field in fields(StoreStatus)),
        "folder": str(server.folder) if server else None,
    }
    if server and server.process_id() is None:
        return unknown
    store_address = embedded.address(settings)
    unknown["address"] = describe(store_address.whalefall)
    try:
        with closing(embedded.open_database(settings)) as database:
            known = read_status(database, store_address)
    except StoreUnreachableError as error:
        note(f"whalefall: {error}")
        return unknown | {"state": "unreachable"}
    return unknown | {"state": "running"} | asdict(known)
