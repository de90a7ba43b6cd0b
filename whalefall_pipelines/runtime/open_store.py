"""Opens the store for a command or a run, and makes it for those commands that may. What reads never makes or changes one."""

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
    """Start the embedded store if that is the one, make it if there is none, and bring either store's schema up to date."""
    address = embedded.start(settings, with_parent=with_parent)
    migrate_store(settings, address)
    return address


def migrate_store(settings: Settings, address: embedded.StoreAddress) -> tuple[migrations.Migration, ...]:
    """Bring the schema up to date and return what was applied. A store that is made by this counts its days by WHALEFALL_TIMEZONE.

    Raises:
        InputError: the store counts them by another zone already; nothing is applied.
    """
    wanted = settings.requested_timezone or machine_timezone()
    with closing(Database(address.whalefall, wanted, pool_size=1)) as database:
        with database.transaction() as cursor:
            known = installation.find_timezone(cursor)
        if known:
            _refuse_other_timezone(settings, database, known)
        return migrations.migrate(database, wanted.key)


@contextmanager
def open_store(settings: Settings, *, pool_size: int = 8, may_make: bool = False, wait_seconds: float = 0) -> Generator[Database]:
    """The store, ready to use, in its own time zone.

    The embedded one is started where it does not run; only with `may_make` is it made or migrated. One's own is never changed on the way.
    One that does not answer is waited for, for `wait_seconds`.

    Raises:
        LocalServerError: there is no embedded store, or it does not start.
        StoreUnreachableError: it does not answer.
        SchemaError: its schema is not this program's.
        InputError: WHALEFALL_TIMEZONE is another zone than the store's.
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
    """Dagster's database beside the store, with the days of the store. It is not asked for anything yet."""
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
    requested = settings.requested_timezone
    if requested and requested.key != known:
        raise InputError(
            f"WHALEFALL_TIMEZONE is {requested.key}, but the store at {describe(database.url)} counts its days by {known}: unset the "
            f"variable, or set it to {known}, and restart what runs with it. "
            f"`whalefall store set-timezone {requested.key}` changes the store."
        )
