"""The store's schema: the numbered files of `sql/schema/`, applied in order, each once, each with its checksum.

One transaction under an advisory lock: a migration that fails leaves nothing, and two programs at once do not collide.
"""

import hashlib
import re
from dataclasses import dataclass

from whalefall_pipelines import queries
from whalefall_pipelines.errors import SchemaError
from whalefall_pipelines.store import installation
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Cursor, Database
from whalefall_pipelines.store.rows import fetch_as
from whalefall_pipelines.store.urls import describe


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `sql/schema/`. The checksum is the SHA-256 of its text."""

    version: int
    name: str
    checksum: str


def shipped() -> tuple[Migration, ...]:
    """The migrations that this program brings, in order."""
    migrations: list[Migration] = []
    for path in sorted((queries.SQL_ROOT / "schema").glob("*.sql")):
        number = re.match(r"\d{4}", path.name)
        if number:
            text = queries.load(f"schema/{path.stem}")
            migrations.append(Migration(int(number.group()), path.stem, hashlib.sha256(text.encode()).hexdigest()))
    return tuple(migrations)


def migrate(database: Database, timezone_name: str) -> tuple[Migration, ...]:
    """Apply the pending migrations and return them. The time zone counts for a store that is made by this; any other keeps its own.

    Raises:
        SchemaError: the store was changed behind our back or belongs to a newer program; nothing is applied.
    """
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("store/lock_migrations"))
        cursor.execute(queries.load("store/create_schema_migrations"))
        applied = _applied(cursor)
        _compare(database, applied)
        missing = shipped()[len(applied) :]
        name = str(database.url.database)
        if not applied:
            installation.set_client_timezone(cursor, name, timezone_name)  # where 0009_installation finds it
        for migration in missing:
            cursor.execute(queries.load(f"schema/{migration.name}"))
            cursor.execute(
                queries.load("store/record_migration"),
                {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
            )
        cursor.execute(queries.load("store/set_schema_version"), {"version": shipped()[-1].version})
        # Again each time: a dump that is restored leaves a database's settings behind.
        installation.set_client_timezone(cursor, name, installation.find_timezone(cursor) or timezone_name)
    return missing


def check(database: Database) -> None:
    """Make sure that the store has exactly the schema of this program.

    Raises:
        SchemaError: it is empty, older, newer or changed; the sentence says which and what to do.
    """
    with database.transaction() as cursor:
        cursor.execute(queries.load("store/find_schema_migrations"))
        (exists,) = cursor.fetchone() or (False,)
        applied = _applied(cursor) if exists else ()
    _compare(database, applied)
    if len(applied) < len(shipped()):
        raise SchemaError(
            f"The store at {describe(database.url)} is at schema version {applied[-1].version if applied else 0}, this program needs "
            f"{shipped()[-1].version}; run `whalefall store migrate`."
        )


def _applied(cursor: Cursor) -> tuple[Migration, ...]:
    cursor.execute(queries.load("store/list_migrations"))
    return fetch_as(cursor, Migration)


def _compare(database: Database, applied: tuple[Migration, ...]) -> None:
    known = shipped()
    if len(applied) > len(known):
        raise SchemaError(
            f"The store at {describe(database.url)} is at schema version {applied[-1].version}, newer than this program's "
            f"{known[-1].version}; install the newer whalefall."
        )
    for theirs, ours in zip(applied, known, strict=False):
        if theirs != ours:
            raise SchemaError(
                f"The store at {describe(database.url)} got migration {theirs.name} with another text than this program's {ours.name}: "
                "a migration never changes after it was applied; install the whalefall that made this store."
            )
