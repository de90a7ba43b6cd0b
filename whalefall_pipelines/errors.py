"""Every error that whalefall raises on purpose.

WhalefallError                 code, is_transient
├── InputError                 what a person or a file asked for cannot be done
│   └── NotFoundError          the thing that was named does not exist
├── StoreError                 our own store failed
│   ├── StoreUnreachableError  it did not answer
│   ├── StoreBusyError         somebody else holds a lock for longer than we wait
│   ├── MissingMonthError      a day was written whose month has no table partition
│   └── SchemaError            its schema is older, newer or other than this program's
├── ArchiveError               an archive cannot be written, or is not what its manifest says
├── RunFailedError             a Dagster run broke before its work was over
├── SessionEndedError          somebody ended the session that this work belongs to
├── SessionRunningError        another session does the same work at this moment
├── LocalServerError           a server that we start ourselves did not start
└── TargetError                one monitored server; `reason` names the gap that it leaves
    ├── UnreachableError       no connection: worth another try
    ├── LoginRejectedError     the server refused the login: never tried again by a machine
    └── SizesError             connected, but no usable sizes

The message says what was tried, on what, and what to do. Codes are those of domain.md section 7.
"""

from typing import ClassVar


class WhalefallError(Exception):
    """The root: `code` is the public code, `is_transient` says whether the same call may succeed later without a person."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    is_transient: ClassVar[bool] = False


class InputError(WhalefallError):
    """What was asked for is not possible as it was asked."""

    code = "INVALID_REQUEST"


class NotFoundError(InputError):
    """The instance, session or file that was named does not exist."""

    code = "RESOURCE_NOT_FOUND"


class StoreError(WhalefallError):
    """Our own store failed."""

    code = "DATABASE_QUERY_ERROR"


class StoreUnreachableError(StoreError):
    """The store did not answer within its deadline."""

    is_transient = True


class StoreBusyError(StoreError):
    """Somebody else holds a lock for longer than we wait for it. The sensor of the maintenance retries an expiry by this code."""

    code = "STORE_BUSY"
    is_transient = True


class MissingMonthError(StoreError):
    """A day was written whose month has no table partition. The sensor of maintenance finds these by their code, and makes the month."""

    code = "MISSING_MONTH"
    is_transient = True


class SchemaError(StoreError):
    """The store's schema does not fit this program."""


class ArchiveError(WhalefallError):
    """The archive of a month cannot be written or read, or differs from the month; nothing was dropped for it."""


class RunFailedError(WhalefallError):
    """A Dagster run that we started ended by an error of its own."""


class SessionEndedError(WhalefallError):
    """The session was cancelled or closed while its work went on; that work is not kept."""

    code = "CANCELLED"


class SessionRunningError(WhalefallError):
    """Another session collects the same day at this moment, so nothing was begun."""

    code = "SESSION_RUNNING"
    is_transient = True


class LocalServerError(WhalefallError):
    """A database server that whalefall starts on this machine did not start or stop."""


class TargetError(WhalefallError):
    """A monitored server did not give its sizes; `reason` is the public reason of the gap (domain.md section 1)."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class UnreachableError(TargetError):
    """The server cannot be reached: refused, silent, unknown, starting up, or out of connections."""

    code = "DATABASE_CONNECTION_ERROR"
    is_transient = True


class LoginRejectedError(TargetError):
    """The server rejects the login. Never retried: repeated attempts lock accounts."""

    code = "DATABASE_CONNECTION_ERROR"


class SizesError(TargetError):
    """Connected, but the sizes failed, are empty, or have missing fields."""

    code = "SYNC_DATA_ERROR"
    is_transient = True
