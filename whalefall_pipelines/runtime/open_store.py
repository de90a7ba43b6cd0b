"""Opens the store for a command or a run, and creates it for the commands that may. Commands that only read never create or change it."""

from collections.abc import Generator
from contextlib import closing, contextmanager

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.settings import Settings, machine_timezone
from whalefall_pipelines.store import installation, migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable
from whalefall_pipelines.store.urls import describe


def prepare_store(settings: Settings, *, with_parent: bool = False) -> embedded.StoreAddress:
    """Start the embedded store if it is used, create it if necessary, and migrate the schema of the store."""
    address = embedded.start(settings, with_parent=with_parent)
    migrate_store(settings, address)
    return address


def migrate_store(settings: Settings, address: embedded.StoreAddress) -> tuple[migrations.Migration, ...]:
    """Migrate the schema and return the applied migrations. A new store gets its time zone from WHALEFALL_TIMEZONE.

    Raises:
        InputError: the store already has a different time zone; nothing is applied.
    """
    wanted = settings.timezone or machine_timezone()
    with closing(Database(address.whalefall, wanted, pool_size=1)) as database:
        with database.transaction() as cursor:
            known = installation.find_timezone(cursor)
        if known:
            _refuse_other_timezone(settings, database, known)
        return migrations.migrate(database, wanted.key)


@contextmanager
def open_store(settings: Settings, *, pool_size: int = 8, may_make: bool = False, wait_seconds: float = 0) -> Generator[Database]:
    """Open the store in its own time zone.

    The embedded store is started if it is not running; only with `may_make` is it created or migrated. Your own store is never changed.
    A store that does not answer is retried for `wait_seconds`.

    Raises:
        LocalServerError: there is no embedded store, or it does not start.
        StoreUnreachableError: it does not answer.
        SchemaError: its schema does not match this program.
        InputError: WHALEFALL_TIMEZONE differs from the time zone of the store.
    """
    if may_make and settings.database_url is None:
        prepare_store(settings)
    else:
        embedded.resume(settings)
    with closing(_open_database(settings, pool_size=pool_size, wait_seconds=wait_seconds)) as database:
        _refuse_other_timezone(settings, database, database.timezone.key)
        yield database


@contextmanager
def open_dagster_database(settings: Settings, store: Database) -> Generator[Database]:
    """Open Dagster's database with the time zone of the store. No query is sent yet."""
    with closing(Database(embedded.address(settings).dagster, store.timezone, pool_size=1)) as database:
        yield database


def _open_database(settings: Settings, *, pool_size: int, wait_seconds: float) -> Database:
    def attempt() -> Database:
        database = embedded.open_database(settings, pool_size=pool_size)
        try:
            migrations.check(database)
        except BaseException:
            database.close()
            raise
        return database

    return retry_while_unavailable(attempt, seconds=wait_seconds) if wait_seconds else attempt()


def _refuse_other_timezone(settings: Settings, database: Database, known: str) -> None:
    requested = settings.timezone
    if requested and requested.key != known:
        raise InputError(
            f"WHALEFALL_TIMEZONE is {requested.key}, but the time zone of the store at {describe(database.url)} is {known}: unset the "
            f"variable, or set it to {known}, and restart the processes that use it. "
            f"`whalefall store set-timezone {requested.key}` changes the time zone of the store."
        )
