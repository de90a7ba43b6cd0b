"""What the errors of a PostgreSQL server and of libpq mean. A server's own error is known by its SQLSTATE, because its words may be of any
language; only what libpq says by itself is told by its words. Only SQLSTATE class 28 is a rejected login: all else may be tried again.
"""

import errno
import os
import re

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch


class ReplayConflictError(UnreachableError):
    """Replay on a standby cancelled the login; a further one succeeds soon."""


_Meaning = tuple[type[TargetError], Reason, str]
_ROUTE = "check the address, route and firewall."
_AGAIN = "it will be retried."
_UNAVAILABLE = (UnreachableError, Reason.UNAVAILABLE, _AGAIN)
_NO_SOCKET = (UnreachableError, Reason.INTERNAL_ERROR, "this machine has run out of sockets.")
_DATABASE = (LoginRejectedError, Reason.UNAVAILABLE, "correct the default database of the instance.")
# By the beginning of the SQLSTATE: the error class, the reason, the advice. The first that fits.
_SQLSTATES: tuple[tuple[str, _Meaning], ...] = (
    ("28", (LoginRejectedError, Reason.AUTHENTICATION_FAILED, "check the credential of {name!r}.")),
    ("3D000", _DATABASE),
    ("55000", _DATABASE),  # it accepts no connections, or is what an interrupted DROP left
    ("40001", (ReplayConflictError, Reason.UNAVAILABLE, _AGAIN)),
    ("53", _UNAVAILABLE),
    ("57P", _UNAVAILABLE),
    ("", (UnreachableError, Reason.SERVER_ERROR, "no login succeeds until this is fixed; the server's log has the cause.")),
)
# What this machine says of a socket, alone on its line.
_SYSTEM_ERRORS = "|".join(sorted({re.escape(os.strerror(number)) for number in errno.errorcode}))
# By what libpq says.
_WORDS: tuple[tuple[str, _Meaning], ...] = (
    (
        "Connection refused|^No such file or directory$",
        (UnreachableError, Reason.CONNECTION_REFUSED, "is the server running, and is the port right?"),
    ),
    ("timed out|No route to host|Network is unreachable|Host is down", (UnreachableError, Reason.TIMEOUT, _ROUTE)),
    (
        "server closed the connection|Connection reset|SSL SYSCALL error",
        (UnreachableError, Reason.UNAVAILABLE, "the server closed the connection; " + _AGAIN),
    ),
    ("could not create socket|Too many open files|^no message$", _NO_SOCKET),
    (
        "invalid response|expected authentication request",
        (UnreachableError, Reason.SERVER_ERROR, "this is not PostgreSQL; check the port."),
    ),
    (
        "does not support SSL|certificate|SSL error|sslmode",
        (LoginRejectedError, Reason.TLS_FAILED, "check sslmode and sslrootcert of the instance."),
    ),
    (f"^({_SYSTEM_ERRORS})$", (UnreachableError, Reason.TIMEOUT, _ROUTE)),
    ("no password supplied|authentication", (LoginRejectedError, Reason.AUTHENTICATION_FAILED, "check the credential of {name!r}.")),
    ("", (UnreachableError, Reason.SERVER_ERROR, _AGAIN)),
)
_WRONG_PASSWORD = "28P01"  # noqa: S105 - the SQLSTATE of one
# What everybody may read and ask unless it was revoked, by the name in the refusal.
_CATALOGUES = (
    *("pg_database", "pg_roles", "pg_auth_members", "pg_tablespace", "pg_parameter_acl", "pg_shdepend", "pg_namespace", "pg_class"),
    *("pg_init_privs", "pg_attribute", "pg_proc", "pg_type", "pg_language", "pg_foreign_server", "pg_foreign_data_wrapper"),
    "pg_default_acl",
)
_PUBLIC = {name: f"SELECT ON pg_catalog.{name}" for name in _CATALOGUES} | {
    "pg_database_size": "EXECUTE ON FUNCTION pg_catalog.pg_database_size(oid)",
}
_HOST_ADMISSION = "admit this host, login and encryption in the server's pg_hba.conf."


def connect_error(text: str, instance: Instance, login: Login, database: str) -> TargetError:
    """The error of a connection that was not opened, for libpq's text of it, with SQLSTATEs."""
    where = f"PostgreSQL at {instance.address}"
    nameless = text
    for name in (login.username, database, instance.host):
        nameless = nameless.replace(f'"{name}"', '""')  # a login may be called like an error
    _, message = _decisive(text)
    known, words = _decisive(nameless)
    if known == "42501" and "CheckMyDatabase" in nameless:  # the function of the server that asks for CONNECT
        names = " TO ".join(_quoted(name) for name in (database, login.username))
        return LoginRejectedError(f"{where}: {message}; GRANT CONNECT ON DATABASE {names};", reason=Reason.NO_PERMISSION)
    kind, reason, advice = (
        next(meaning for prefix, meaning in _SQLSTATES if known.startswith(prefix))
        if known
        else next(meaning for pattern, meaning in _WORDS if re.search(pattern, words))
    )
    if "pg_hba.conf" in words:
        advice = _HOST_ADMISSION
    subject = f"{where} rejects the login {login.username!r}" if reason is Reason.AUTHENTICATION_FAILED else where
    shown = f"{message} (SQLSTATE {known})" if reason is Reason.SERVER_ERROR and known else message
    return kind(f"{subject}: {shown}; {advice.format(name=instance.name)}", reason=reason)


def _decisive(text: str) -> tuple[str | None, str]:
    """The SQLSTATE and the sentence of the attempt that counts; without one, libpq says so itself.

    With sslmode prefer libpq tries again without TLS what was refused with it, and is then refused for that. A wrong password is the
    cause whatever came after it.
    """
    attempts = re.split(r"^connection to server (?:at|on) .*? failed: ", text.strip(), flags=re.MULTILINE)
    refusals = [re.match(r"[^:\n]*: +([0-9A-Z]{5}): (.*)", attempt) for attempt in attempts]
    decisive = next((refusal for refusal in refusals if refusal and refusal[1] == _WRONG_PASSWORD), refusals[-1])
    return (decisive[1], decisive[2]) if decisive else (None, attempts[-1].partition("\n")[0] or "no message")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def interruption(instance: Instance, watch: Watch, kind: type[TargetError]) -> TargetError:
    """The error of a probe that we ended: because of a deadline, or because the run was terminated."""
    where = f"PostgreSQL at {instance.address}"
    if watch.reason is Reason.CANCELLED:
        return kind(f"The probe of {where} was stopped.", reason=Reason.CANCELLED)
    return kind(f"{where} did not answer within its deadline.", reason=Reason.TIMEOUT)


def statement_error(sqlstate: str | None, text: str, instance: Instance, watch: Watch, *, is_open: bool) -> SizesError:
    """The error of a statement, for libpq's text of it; a session that the server ended says why, if the server did."""
    if watch.is_expired or sqlstate == "57014":
        return SizesError(*interruption(instance, watch, SizesError).args, reason=watch.reason or Reason.TIMEOUT)
    where = f"PostgreSQL at {instance.address}"
    message = (text.strip().splitlines() or ["no message"])[0]
    if sqlstate == "42501":
        privileges = (_PUBLIC[name] for name in re.findall(r"\w+", message) if name in _PUBLIC)
        database = _quoted(instance.default_database or "postgres")
        cure = "".join(
            f"; run on that server, in the database {database}: GRANT {name} TO {_quoted(instance.username)};" for name in privileges
        )
        return SizesError(f"{where} refuses a statement: {message}{cure or '.'}", reason=Reason.NO_PERMISSION)
    is_over = not is_open or sqlstate is None or sqlstate.startswith(("08", "57P", "40001"))
    return SizesError(f"{where} failed during a query: {message}.", reason=Reason.UNAVAILABLE if is_over else Reason.SERVER_ERROR)
