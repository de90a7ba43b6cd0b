"""Streams the rows of a statement out of the store by COPY, in pieces, without holding them in memory."""

import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.errors import StoreError
from whalefall_pipelines.store.database import Database

# Each piece changes threads on its way to the client, which costs as much as a hundred rows.
PIECE_BYTES = 1 << 20
StreamForm = Literal["csv", "ndjson"]


def stream_rows(database: Database, statement: str, values: Mapping[str, Any], form: StreamForm) -> Iterator[bytes]:
    """The rows of a statement of `sql/` in pieces: CSV with a header, or JSON objects, one a line.

    Raises:
        StoreError: the store failed; pieces may have been yielded before.
    """
    reading, writing = os.pipe()
    failures: list[StoreError] = []

    def copy() -> None:
        try:
            # A session: its connection is closed when the client goes away in the middle of the copy.
            with os.fdopen(writing, "wb", buffering=PIECE_BYTES) as file, database.session() as cursor:
                rows = sql.SQL(cursor.write_out(queries.load(statement), values))
                cursor.copy(sql.SQL(queries.load(f"store/copy_{form}")).format(rows=rows), file)
        except StoreError as error:
            failures.append(error)
        except BrokenPipeError:
            return

    worker = threading.Thread(target=copy, name="export", daemon=True)
    worker.start()
    with os.fdopen(reading, "rb", buffering=PIECE_BYTES) as pieces:
        while piece := pieces.read(PIECE_BYTES):
            yield piece
    worker.join()
    if failures:
        raise failures[0]
