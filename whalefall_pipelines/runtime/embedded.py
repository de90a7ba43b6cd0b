"""Which store this process uses: one's own PostgreSQL by WHALEFALL_DATABASE_URL, else the embedded one under WHALEFALL_HOME.

The embedded store is a `local_servers` cluster with two databases, `whalefall` and `dagster`. Its password stays in libpq's password
file, so its URLs can be printed. Creating the databases is `creation.py`, their schema `migrations.py`.
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

# Small, but enough for a fleet-day of 20,000 databases; autovacuum and durability stay as they are.
_UTC = ZoneInfo("UTC")
_OPTIONS = ("shared_buffers=64MB", "max_connections=100", "max_wal_size=512MB", "jit=off", "log_timezone=UTC")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where both databases are. `is_embedded` tells whether we start and stop the server."""

    whalefall: "URL" = field(repr=False)  # SQLAlchemy hides the password, and shows an sslpassword
    dagster: "URL" = field(repr=False)
    is_embedded: bool


def cluster(settings: Settings) -> PostgresCluster:
    """The embedded store's server, running or not, with binaries that read its data.

    Raises:
        InputError: the store is one's own, so there is nothing of ours to start or stop.
        LocalServerError: there are no such binaries.
    """
    if settings.database_url:
        own = describe(parse_url(settings.database_url))
        raise InputError(f"The store is your own PostgreSQL at {own} (WHALEFALL_DATABASE_URL): start and stop it with its own tools.")
    folder = settings.home / "store"
    binaries = for_store(settings.postgres_bin, major=made_by(folder / "data"))
    return PostgresCluster(bin_dir=binaries.bin_dir, folder=folder, superuser="whalefall", options=_OPTIONS)


def address(settings: Settings) -> StoreAddress:
    """Where the store is; the embedded one must have been started once.

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
    """Make sure that the embedded store runs and has its two databases; one's own store is only looked up.

    Raises:
        LocalServerError: it does not start; the sentence names the log.
    """
    if settings.database_url:
        return address(settings)
    cluster(settings).start(with_parent=with_parent)
    store_address = address(settings)
    for url in (store_address.whalefall, store_address.dagster):
        create_missing_database(url)
    return store_address


def resume(settings: Settings) -> None:
    """Make sure that the embedded store runs, if that is the one. It is never made by this.

    Raises:
        LocalServerError: there is none, or it does not start.
    """
    if settings.database_url is None:
        server = cluster(settings)
        if made_by(server.data) is None:
            raise _no_store(settings)
        server.start()


def open_database(settings: Settings, *, pool_size: int = 8) -> Database:
    """The store for this process in its own time zone, UTC before it has one, without starting it or looking at its schema.

    Raises:
        StoreUnreachableError: it does not answer.
    """
    url = address(settings).whalefall
    with closing(Database(url, _UTC, pool_size=1)) as database, database.transaction() as cursor:
        timezone = find_timezone(cursor)
    return Database(url, ZoneInfo(timezone) if timezone else _UTC, pool_size=pool_size)


def _no_store(settings: Settings) -> LocalServerError:
    advice = "run `whalefall store start`, which makes one, or name another WHALEFALL_HOME."
    return LocalServerError(f"There is no store in {settings.home} yet; {advice}")
