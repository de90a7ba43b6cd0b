"""The reasons why an expected value is missing, shared by all areas."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an expected size is missing (domain.md section 1)."""

    CONNECTION_REFUSED = "connection_refused"
    HOST_UNKNOWN = "host_unknown"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    AUTHENTICATION_FAILED = "authentication_failed"
    TLS_FAILED = "tls_failed"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - the name of a reason
    NO_PERMISSION = "no_permission"
    ANOTHER_SERVER = "another_server"
    DUPLICATE_SERVER = "duplicate_server"
    VANISHED = "vanished"
    EMPTY_RESULT = "empty_result"
    INCOMPLETE = "incomplete"
    SERVER_ERROR = "server_error"
    INTERNAL_ERROR = "internal_error"
    CANCELLED = "cancelled"
    NOT_COLLECTED = "not_collected"
