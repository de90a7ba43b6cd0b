"""Every error that whalefall raises on purpose.

WhalefallError                 code, is_transient
├── InputError                 the request of a user or a file cannot be fulfilled
│   ├── NotFoundError          the named object does not exist
│   ├── OtherZoneError         this process does not reach the zone of the work
│   └── ConflictError          what the request relies on has changed meanwhile
├── StoreError                 our own store failed
│   ├── StoreUnreachableError  it did not answer
│   ├── StoreBusyError         another session holds a lock for longer than we wait
│   ├── MissingMonthError      the month of a written day has no table partition
│   └── SchemaError            its schema is older or newer than this program's, or was modified
├── ArchiveError               an archive cannot be written, or does not match its manifest
├── ClassificationError        rules failed; their accounts keep the classes that they had
├── RunFailedError             a Dagster run failed before its work was finished
├── LaunchError                Dagster cannot be reached, or refuses to start a run
├── SessionEndedError          the session of this work was ended elsewhere
├── SessionRunningError        another session is doing the same work
├── LocalServerError           a server that we start ourselves did not start
└── TargetError                a monitored server failed; `reason` is the reason of its gaps
    ├── UnreachableError       no connection: retried
    ├── LoginRejectedError     the server rejected the login: never retried automatically
    └── SizesError             connected, but no usable sizes

The message states what was attempted, on which object, and what to do. Codes are those of domain.md section 7.
"""

from typing import ClassVar


class WhalefallError(Exception):
    """The root class. `code` is the public code; `is_transient` tells whether a retry may succeed without intervention."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    is_transient: ClassVar[bool] = False


class InputError(WhalefallError):
    """The request cannot be fulfilled as it is."""

    code = "INVALID_REQUEST"


class NotFoundError(InputError):
    """The named instance, session or file does not exist."""

    code = "RESOURCE_NOT_FOUND"


class OtherZoneError(InputError):
    """The work is for the servers of a zone that this process does not reach. Nothing was connected to."""


class ConflictError(InputError):
    """The state that the request relies on has changed, so nothing was done."""

    code = "CONSTRAINT_VIOLATION"


class StoreError(WhalefallError):
    """The store failed."""

    code = "DATABASE_QUERY_ERROR"


class StoreUnreachableError(StoreError):
    """The store did not answer within its deadline."""

    is_transient = True


class StoreBusyError(StoreError):
    """Another session held a lock for longer than a statement waits. The maintenance sensor retries an expiry that failed with this
    code."""

    code = "STORE_BUSY"
    is_transient = True


class MissingMonthError(StoreError):
    """The month of a day to be written has no table partition. The maintenance sensor finds sessions with this code and creates the
    month."""

    code = "MISSING_MONTH"
    is_transient = True


class SchemaError(StoreError):
    """The store's schema does not match this program."""


class ArchiveError(WhalefallError):
    """The archive of a month cannot be written or read, or differs from the month. The month was not dropped."""


class ClassificationError(WhalefallError):
    """Rules could not be evaluated. Their accounts keep their classes; the other rules were evaluated."""

    code = "CLASSIFICATION_FAILED"


class RunFailedError(WhalefallError):
    """A Dagster run failed before its work was finished."""


class SessionEndedError(WhalefallError):
    """The session was cancelled or closed while its work was running; that work is discarded."""

    code = "CANCELLED"


class SessionRunningError(WhalefallError):
    """Another session is collecting the same day, so nothing was started."""

    code = "SESSION_RUNNING"
    is_transient = True


class LocalServerError(WhalefallError):
    """A database server that whalefall starts on this machine did not start or stop."""


class TargetError(WhalefallError):
    """The sizes of a monitored server could not be read. `reason` is the public reason of the gap."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class UnreachableError(TargetError):
    """The server cannot be reached: it refuses connections, does not answer, is unknown, is starting up, or has no free connection."""

    code = "DATABASE_CONNECTION_ERROR"
    is_transient = True


class LoginRejectedError(TargetError):
    """The server rejects the login. Never retried: repeated attempts lock accounts."""

    code = "DATABASE_CONNECTION_ERROR"


class SizesError(TargetError):
    """The connection succeeded, but the sizes could not be read, are empty, or have missing fields."""

    code = "SYNC_DATA_ERROR"
    is_transient = True


class LaunchError(WhalefallError):
    """Dagster cannot be reached, or refused to start a run. Nothing was started."""

    code = "TASK_EXECUTION_FAILED"
    is_transient = True
