"""The store's schema: the numbered files of `sql/schema/` are applied once, in order, and recorded with their checksums.

All of them run in one transaction under an advisory lock, so a failed migration leaves nothing and two programs do not collide.
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
    """The migrations of this program, in order."""
    migrations: list[Migration] = []
    for path in sorted((queries.SQL_ROOT / "schema").glob("*.sql")):
        number = re.match(r"\d{4}", path.name)
        if number:
            text = queries.load(f"schema/{path.stem}")
            migrations.append(Migration(int(number.group()), path.stem, hashlib.sha256(text.encode()).hexdigest()))
    return tuple(migrations)


def migrate(database: Database, timezone_name: str) -> tuple[Migration, ...]:
    """Apply the pending migrations and return them. Only a new store gets this time zone; an existing one keeps its own.

    Raises:
        SchemaError: the schema was modified or belongs to a newer program; nothing is applied.
    """
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("store/lock_migrations"))
        cursor.execute(queries.load("store/create_schema_migrations"))
        applied = _applied(cursor)
        _compare(database, applied)
        missing = shipped()[len(applied) :]
        name = str(database.url.database)
        if not applied:
            installation.set_client_timezone(cursor, name, timezone_name)  # read by 0009_installation
        for migration in missing:
            cursor.execute(queries.load(f"schema/{migration.name}"))
            cursor.execute(
                queries.load("store/record_migration"),
                {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
            )
        cursor.execute(queries.load("store/set_schema_version"), {"version": shipped()[-1].version})
        # Repeated each time, because restoring a dump does not restore the settings of a database.
        installation.set_client_timezone(cursor, name, installation.find_timezone(cursor) or timezone_name)
    return missing


def check(database: Database) -> None:
    """Check that the store has exactly the schema of this program.

    Raises:
        SchemaError: it is empty, older, newer or modified; the message says which, with advice.
    """
    with database.transaction() as cursor:
        cursor.execute(queries.load("store/find_schema_migrations"))
        (exists,) = cursor.fetchone() or (False,)
        applied = _applied(cursor) if exists else ()
    _compare(database, applied)
    if len(applied) < len(shipped()):
        raise SchemaError(
            f"The store at {describe(database.url)} is at schema version {applied[-1].version if applied else 0}, but this program needs "
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
                f"The store at {describe(database.url)} has a migration {theirs.name} that differs from this program's {ours.name}: "
                "applied migrations never change; install the whalefall version that created this store."
            )
