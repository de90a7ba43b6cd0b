"""The connection to an Oracle server: the listener, the service, the login, and the translation of errors by number. `sizes.py` uses it."""

import errno
import re
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import oracledb

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sockets import attaching

# Once and early: until a first connection succeeded, one that hangs would block all others on the choice of the mode.
oracledb.enable_thin_mode()
_VARCHAR = cast("object", oracledb.DB_TYPE_VARCHAR)  # pyright: ignore[reportUnknownMemberType]


def open_connection(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog, watch: Watch) -> oracledb.Connection:
    """Connect and log in; the socket is watched from its first moment, because the log-in has no time-out of its own.

    Raises:
        LoginRejectedError: the authorities of the instance cannot be read.
    """
    context = _tls_context(instance)
    seconds = min(deadlines.connect_seconds, deadlines.instance_seconds)
    with (
        watchdog.watch(None, seconds) as handshake,
        translating(instance, watch, handshake, is_connected=False),
        attaching(watch, handshake),
    ):
        connection = oracledb.connect(
            user=login.username,
            password=login.password or "",
            host=instance.host,
            port=instance.port,
            protocol="tcps" if context else "tcp",
            ssl_context=context,
            ssl_server_dn_match=instance.sslmode == "verify-full",
            service_name=instance.default_database or "ORCL",
            tcp_connect_timeout=seconds,
            retry_count=0,
            program="whalefall",
        )
    connection.call_timeout = round(deadlines.statement_seconds * 1000)
    connection.outputtypehandler = _readable
    return connection


def _readable(cursor: oracledb.Cursor, metadata: oracledb.FetchInfo) -> oracledb.Var | None:
    """Text that is no whole UTF-8 is read as far as it goes: one such name would cost every other."""
    if metadata.type_code is not _VARCHAR:  # pyright: ignore[reportUnknownMemberType]
        return None
    return cursor.var(str, metadata.internal_size or 1, cursor.arraysize, encoding_errors="replace")  # pyright: ignore[reportUnknownMemberType]


def _tls_context(instance: Instance) -> ssl.SSLContext | None:
    """None is without TLS: a listener's port is for one or the other, so that there is nothing to prefer. The driver sends no password
    in the clear either way. It compares host and certificate itself, and takes the host name out of the context.
    """
    mode = instance.sslmode or "prefer"
    if mode in {"disable", "prefer"}:
        return None
    try:
        context = ssl.create_default_context(cafile=instance.sslrootcert if mode != "require" else None)
    except OSError as error:
        sentence = f"Oracle at {instance.address}: the authorities in {instance.sslrootcert} cannot be read ({error.strerror})."
        raise LoginRejectedError(sentence, reason=Reason.TLS_FAILED) from error
    context.check_hostname = False
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


_Meaning = tuple[type[TargetError], Reason, str]
_REFUSED = (LoginRejectedError, Reason.AUTHENTICATION_FAILED, "check the credential of the instance.")
_LOCKED = (LoginRejectedError, Reason.AUTHENTICATION_FAILED, "the account is locked, or its password has expired.")
_NO_SERVICE = (
    UnreachableError,
    Reason.UNAVAILABLE,
    "the listener does not have this service; correct the default database of the instance.",
)
_BUSY = (UnreachableError, Reason.UNAVAILABLE, "it will be retried.")
_DISCONNECTED = (UnreachableError, Reason.UNAVAILABLE, "the server closed the connection, or is not Oracle; it will be retried.")
_FORBIDDEN = (SizesError, Reason.NO_PERMISSION, "grant the privileges that `whalefall instances test` lists.")
_SLOW = (SizesError, Reason.TIMEOUT, "a statement took longer than its deadline.")
_TLS = (LoginRejectedError, Reason.TLS_FAILED, "check sslmode, sslrootcert and port of the instance, and the server's certificate.")
_TIMEOUT = (UnreachableError, Reason.TIMEOUT, "check the address, route and firewall.")
_NO_SOCKET = (UnreachableError, Reason.INTERNAL_ERROR, "this machine has run out of sockets.")
_NUMBERS: dict[str, _Meaning] = {
    number: meaning
    for numbers, meaning in (
        (("ORA-01017", "ORA-01045", "ORA-01005"), _REFUSED),
        (("ORA-28000", "ORA-28001", "ORA-28002"), _LOCKED),
        (("ORA-12514", "ORA-12505", "ORA-12504", "DPY-6001", "DPY-6003"), _NO_SERVICE),
        (("ORA-00018", "ORA-00020", "ORA-01033", "ORA-01034", "ORA-01035", "ORA-01089", "ORA-01090", "ORA-12516", "ORA-12519"), _BUSY),
        (("DPY-6002", "DPY-6006"), _TLS),
        (("ORA-12520", "ORA-12528", "DPY-6000"), _BUSY),
        (("ORA-00028", "ORA-01012", "ORA-02396", "ORA-03113", "ORA-03114", "ORA-03135", "DPY-4011", "DPY-1001"), _DISCONNECTED),
        (("ORA-00942", "ORA-01031"), _FORBIDDEN),
        (("ORA-01013", "DPY-4024", "DPY-4000"), _SLOW),
    )
    for number in numbers
}

_CAUSES: tuple[tuple[tuple[type[BaseException], ...], _Meaning], ...] = (
    ((UnicodeDecodeError,), (SizesError, Reason.SERVER_ERROR, "the server sent invalid text.")),
    ((socket.gaierror, UnicodeError), (UnreachableError, Reason.HOST_UNKNOWN, "check the host and the name servers.")),
    ((ssl.SSLEOFError,), _DISCONNECTED),
    ((ssl.SSLError,), _TLS),
    ((ConnectionRefusedError,), (UnreachableError, Reason.CONNECTION_REFUSED, "is the listener running, and is the port right?")),
    ((ConnectionError,), _DISCONNECTED),
)


@contextmanager
def translating(instance: Instance, *watches: Watch, is_connected: bool = True) -> Generator[None]:
    """Turn whatever the driver or the socket raises into a `TargetError`: one that is connected is no longer unreachable."""
    try:
        yield
    except (oracledb.Error, OSError, UnicodeError) as error:
        where = f"Oracle at {instance.address}"
        behind = error.__cause__ if isinstance(error.__cause__, OSError) else error  # a time-out or a reset behind DPY-6005
        kind, reason, advice = _meaning(behind)
        silent = next((watch.reason for watch in watches if watch.reason), reason if reason is Reason.TIMEOUT else None)
        if silent:
            kind, reason = UnreachableError, silent
            cancelled = silent is Reason.CANCELLED
            sentence = f"The probe of {where} was stopped." if cancelled else f"{where} did not answer within its deadline."
        else:
            text = str(behind.args[-1] if behind.args else behind)
            message = " ".join(line for line in text.splitlines() if not line.startswith("Help:"))
            sentence = f"{where}: {re.sub(r' [(]CONNECTION_ID=[^)]*[)]', '', message).rstrip('.')}; {advice}"
        raise (SizesError if is_connected and kind is UnreachableError else kind)(sentence, reason=reason) from error


def _meaning(error: BaseException) -> _Meaning:
    if isinstance(error, oracledb.Error):
        if "timed out" in str(error):  # DPY-4011: the server did not even answer that its statement is to stop
            return _SLOW
        numbers = re.findall(r"(?:ORA|DPY)-\d+", str(error))
        unknown = (SizesError, Reason.SERVER_ERROR, f"the server's error {numbers[0] if numbers else 'without a number'}.")
        # What lies behind comes last: DPY-6005 says only that it cannot connect.
        return next((_NUMBERS[number] for number in reversed(numbers) if number in _NUMBERS), unknown)
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL}:
        return _NO_SOCKET
    return next((meaning for causes, meaning in _CAUSES if isinstance(error, causes)), _TIMEOUT)
