"""Determines the store of this process: your own PostgreSQL from WHALEFALL_DATABASE_URL, or else the embedded one in WHALEFALL_HOME.

The embedded store is a `local_servers` cluster with two databases, `whalefall` and `dagster`. Its password is only in libpq's password
file, so its URLs can be printed. `store/creation.py` creates the databases, `store/migrations.py` their schema.
"""

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from whalefall_pipelines.errors import InputError, LocalServerError
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store, made_by
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.creation import create_missing_database
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.installation import find_timezone
from whalefall_pipelines.store.urls import describe, parse_url

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# Small, but sufficient for a day of 20,000 databases. Autovacuum and durability keep their defaults.
_UTC = ZoneInfo("UTC")
_OPTIONS = ("shared_buffers=64MB", "max_connections=100", "max_wal_size=512MB", "jit=off", "log_timezone=UTC")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """The URLs of both databases. `is_embedded` tells whether whalefall starts and stops the server."""

    whalefall: "URL" = field(repr=False)  # SQLAlchemy hides the password, but not an sslpassword
    dagster: "URL" = field(repr=False)
    is_embedded: bool


def cluster(settings: Settings) -> PostgresCluster:
    """The embedded store's server, running or not, with binaries that can read its data.

    Raises:
        InputError: WHALEFALL_DATABASE_URL is set, so there is no embedded store to start or stop.
        LocalServerError: there are no such binaries.
    """
    if settings.database_url:
        own = describe(parse_url(settings.database_url))
        raise InputError(f"The store is your own PostgreSQL at {own} (WHALEFALL_DATABASE_URL): start and stop it with its own tools.")
    folder = settings.home / "store"
    binaries = for_store(settings.pg_bin, major=made_by(folder / "data"))
    return PostgresCluster(bin_dir=binaries.bin_dir, folder=folder, superuser="whalefall", options=_OPTIONS)


def address(settings: Settings) -> StoreAddress:
    """The address of the store. The embedded store must have been started once.

    Raises:
        InputError: a URL in the environment cannot be read.
        LocalServerError: there is no embedded store yet.
    """
    if settings.database_url:
        own = parse_url(settings.database_url)
        dagster = parse_url(settings.dagster_database_url) if settings.dagster_database_url else own.set(database="dagster")
        return StoreAddress(own, dagster, is_embedded=False)
    embedded = cluster(settings)
    try:
        whalefall, dagster = (parse_url(embedded.url(database)) for database in ("whalefall", "dagster"))
    except LocalServerError:
        raise _no_store(settings) from None
    return StoreAddress(whalefall, dagster, is_embedded=True)


def start(settings: Settings, *, with_parent: bool = False) -> StoreAddress:
    """Start the embedded store and create its two databases if necessary. For your own store, only return its address.

    Raises:
        LocalServerError: it does not start; the message names the log.
    """
    if settings.database_url:
        return address(settings)
    cluster(settings).start(with_parent=with_parent)
    store_address = address(settings)
    for url in (store_address.whalefall, store_address.dagster):
        create_missing_database(url)
    return store_address


def resume(settings: Settings) -> None:
    """Start the embedded store if it is used and exists. It is never created.

    Raises:
        LocalServerError: there is none, or it does not start.
    """
    if settings.database_url is None:
        server = cluster(settings)
        if made_by(server.data) is None:
            raise _no_store(settings)
        server.start()


def open_database(settings: Settings, *, pool_size: int = 8) -> Database:
    """Open the store in its own time zone (UTC if it has none yet), without starting it or checking its schema.

    Raises:
        StoreUnreachableError: it does not answer.
    """
    url = address(settings).whalefall
    with closing(Database(url, _UTC, pool_size=1)) as database, database.transaction() as cursor:
        timezone = find_timezone(cursor)
    return Database(url, ZoneInfo(timezone) if timezone else _UTC, pool_size=pool_size)


def _no_store(settings: Settings) -> LocalServerError:
    advice = "run `whalefall store start` to create one, or set a different WHALEFALL_HOME."
    return LocalServerError(f"There is no store in {settings.home} yet; {advice}")
