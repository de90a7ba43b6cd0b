"""Opens the store for a command or a run: starts the embedded one where needed, and makes sure that the schema fits."""

from collections.abc import Generator
from contextlib import contextmanager

from whalefall_pipelines.services.outlast_outage import outlast_outage
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import embedded, migrations
from whalefall_pipelines.store.database import Database


def prepare_store(settings: Settings, *, with_parent: bool = False) -> embedded.StoreAddress:
    """Start the embedded store if that is the one, and bring either store's schema up to date."""
    address = embedded.start(settings, with_parent=with_parent)
    database = embedded.open_database(settings)
    try:
        migrations.migrate(database, settings.timezone.key)
    finally:
        database.close()
    return address


@contextmanager
def open_store(settings: Settings, *, pool_size: int = 8, wait_seconds: float = 0) -> Generator[Database]:
    """The store, ready to use.

    The embedded one is started and migrated on the way; one's own is only checked, because changing its schema is a decision.

    Raises:
        StoreUnreachableError: it does not answer within `wait_seconds`; without them a single attempt is made.
        SchemaError: its schema is not this program's.
    """
    if settings.database_url is None:
        prepare_store(settings)
    database = embedded.open_database(settings, pool_size=pool_size)
    try:
        if wait_seconds:
            outlast_outage(lambda: migrations.check(database), seconds=wait_seconds)
        else:
            migrations.check(database)
        yield database
    finally:
        database.close()
