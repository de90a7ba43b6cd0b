"""Translates errors of the driver into our own, each with what to do."""

import re
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import extensions

from whalefall_pipelines.areas import partitioned_table_names
from whalefall_pipelines.errors import MissingMonthError, SchemaError, StoreBusyError, StoreError, StoreUnreachableError
from whalefall_pipelines.store.urls import describe

if TYPE_CHECKING:
    from sqlalchemy import exc
    from sqlalchemy.engine import URL


def unreachable(url: "URL", error: "psycopg2.OperationalError | exc.TimeoutError") -> StoreUnreachableError:
    """The error of a database that cannot be reached, whalefall's or Dagster's."""
    return StoreUnreachableError(
        f"The database {describe(url)} cannot be reached: {first_line(error)}; start its server (`whalefall store start` for the embedded "
        "one), or correct WHALEFALL_DATABASE_URL or WHALEFALL_DAGSTER_DATABASE_URL, whichever names it."
    )


def is_unavailable(error: psycopg2.Error) -> bool:
    """Whether the connection or its server is gone."""
    return error.pgcode is None or error.pgcode.startswith(_UNAVAILABLE)


def store_error(url: "URL", error: psycopg2.Error) -> StoreError:
    """The error of a statement that the store refused or cancelled, with what to do."""
    if is_unavailable(error):
        return StoreUnreachableError(f"The store at {describe(url)} became unavailable: {first_line(error)}; this step was rolled back.")
    if error.pgcode in _MISSING_SCHEMA:
        return SchemaError(f"The store at {describe(url)} is not migrated: {first_line(error)}; run `whalefall store migrate`.")
    if error.pgcode in _BUSY:
        return StoreBusyError(f"Another session holds a lock in the store at {describe(url)}: {first_line(error)}; try again.")
    if error.pgcode == _CHECK_VIOLATION and error.diag.constraint_name is None and error.diag.table_name in partitioned_table_names():
        return _missing_month(url, error.diag)
    advice = _ADVICE.get(str(error.pgcode), "")
    return StoreError(f"The store at {describe(url)} refused or cancelled a statement ({error.pgcode}): {first_line(error)}{advice}")


def _missing_month(url: "URL", diag: extensions.Diagnostics) -> MissingMonthError:
    """The error for a row without a table partition. The server's message may be translated, but the day in it is always in ISO format."""
    match = re.search(r"\d{4,}-\d\d-\d\d", diag.message_detail or "")
    day, month = (match[0], match[0].rpartition("-")[0]) if match else ("a day", "YYYY-MM")
    return MissingMonthError(
        f"{diag.table_name} in the store at {describe(url)} has no table partition for {day}, so this step was rolled back; "
        f"Dagster's daemon creates it within minutes, `whalefall partitions create --month {month}` creates it now."
    )


# connection exceptions, and the server's shutdown
_UNAVAILABLE = ("08", "57P")
# undefined_table, undefined_column, undefined_function
_MISSING_SCHEMA = frozenset({"42P01", "42703", "42883"})
# lock_not_available, deadlock_detected
_BUSY = frozenset({"55P03", "40P01"})
# insufficient_privilege, query_canceled
_ADVICE = {
    "42501": (
        "; the login of WHALEFALL_DATABASE_URL must own whalefall's tables and have CREATE on their schema, or needs a role that "
        "`whalefall store roles` creates."
    ),
    "57014": "; this step was rolled back. After a timeout, pg_stat_activity shows which session loads the store or holds a lock.",
}
# Raised by a CHECK constraint, which has a name, or by a missing table partition, which has none.
_CHECK_VIOLATION = "23514"


def first_line(error: Exception) -> str:
    """The first line of the driver's message; the others are the statement."""
    return (str(error).strip().splitlines() or ["no message"])[0]
