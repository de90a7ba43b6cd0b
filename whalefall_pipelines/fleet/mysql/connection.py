"""The connection to a MySQL or MariaDB server: the socket, TLS, the login, and the translation of PyMySQL's errors. `sizes.py` uses it."""

import errno
import socket
import ssl
import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NoReturn

import pymysql
from pymysql.connections import Connection

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.probe import Deadlines

# The server chooses the authentication plugin. With these, PyMySQL would send the password in plain text, even without TLS.
_CLEAR_PLUGINS = ("mysql_clear_password", "dialog")


def open_connection(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog, watch: Watch) -> Connection:
    """Connect and log in, with our own program name.

    We open the socket and watch it before the first byte, because a server that accepts and stays silent would block PyMySQL forever.
    """
    with translating(instance, watch, is_connected=False):
        tls = _tls_context(instance)
        is_verified = tls is not None and tls.verify_mode is ssl.CERT_REQUIRED
        sock = socket.create_connection((instance.host, instance.port), min(deadlines.connect_seconds, deadlines.instance_seconds))
    watch.attach(sock.fileno())
    connection = Connection(
        host=instance.host,
        user=login.username,
        password=(login.password or "").encode(),  # PyMySQL would encode text as Latin-1
        charset="utf8mb4",
        autocommit=True,
        program_name="whalefall",
        ssl=tls,
        ssl_disabled=instance.sslmode == "disable",
        # The second line of defence after the server's own statement time-out; the watchdog is the third.
        read_timeout=deadlines.statement_seconds + 5,
        write_timeout=deadlines.statement_seconds + 5,
        auth_plugin_map={} if is_verified else dict.fromkeys(_CLEAR_PLUGINS, _refusing(instance)),
        defer_connect=True,
    )
    with (
        watchdog.watch(sock.fileno(), deadlines.connect_seconds) as handshake,
        translating(instance, watch, handshake, is_connected=False),
    ):
        connection.connect(sock)
    return connection


def _tls_context(instance: Instance) -> ssl.SSLContext | None:
    """The TLS context for an sslmode, with libpq's meaning. None is PyMySQL's default: TLS if the server offers it, unverified."""
    mode = instance.sslmode or "prefer"
    if mode in {"disable", "prefer"}:
        return None
    if mode not in {"require", "verify-ca", "verify-full"}:
        raise _tls_error(instance, f"sslmode {mode!r} is not one of disable, prefer, require, verify-ca and verify-full.")
    try:
        context = ssl.create_default_context(cafile=instance.sslrootcert)
    except OSError as error:
        raise _tls_error(instance, f"{instance.sslrootcert} contains no readable certificates: {error.strerror}.") from error
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # servers' auto-generated certificates would be rejected
    context.check_hostname = mode == "verify-full"
    if mode == "require" and not instance.sslrootcert:
        context.verify_mode = ssl.CERT_NONE
    return context


def _tls_error(instance: Instance, message: str) -> LoginRejectedError:
    return LoginRejectedError(f"MySQL at {instance.address} was not contacted: {message}", reason=Reason.TLS_FAILED)


def _refusing(instance: Instance) -> Callable[[Connection], NoReturn]:
    """A replacement for an insecure authentication plugin, which refuses to send the password."""

    def refuse(_connection: Connection) -> NoReturn:
        raise LoginRejectedError(
            f"MySQL at {instance.address} requests the password in plain text, which is sent over verified TLS only: set sslmode to "
            "verify-full, and sslrootcert if you use your own certificate authority.",
            reason=Reason.TLS_FAILED,
        )

    return refuse


_Meaning = tuple[type[TargetError], Reason, str]
_REFUSED = (LoginRejectedError, Reason.AUTHENTICATION_FAILED)
_AWAY = (UnreachableError, Reason.UNAVAILABLE)
_DISCONNECTED = (*_AWAY, "the server closed the connection; it will be retried.")
_TLS = (LoginRejectedError, Reason.TLS_FAILED, "check sslmode and sslrootcert of the instance.")
_NO_PROTOCOL = (UnreachableError, Reason.SERVER_ERROR, "this is not MySQL; check the port.")
# By native number of the server or of PyMySQL: the error class, the reason, the advice.
_NUMBERS: dict[object, _Meaning] = {
    number: meaning
    for numbers, meaning in (
        ((1045, 1698), (*_REFUSED, "check the credential of the instance.")),
        ((1129, 1130), (*_REFUSED, "the server does not accept connections from this machine; check the host of the account.")),
        ((1820, 1862, 3118, 3955, 4150, 4151), (*_REFUSED, "the account is locked or its password has expired.")),
        ((1251, 1524, 2059, 2061), (*_REFUSED, "the account's authentication plugin is not supported; change it.")),
        ((2026, 3159), _TLS),
        ((1040, 1041, 1135, 1203, 1226), (*_AWAY, "it has no free connection; it will be retried.")),
        ((1053, 1927, 2003, 2006, 2013, 3032), _DISCONNECTED),
        ((1044, 1142, 1143, 1227), (SizesError, Reason.NO_PERMISSION, "grant PROCESS, SHOW VIEW ON *.* to this login.")),
        ((1205, 1969, 3024), (SizesError, Reason.TIMEOUT, "a statement took longer than its deadline.")),
        ((1109, 1193), (SizesError, Reason.SERVER_ERROR, "whalefall needs MySQL 8.0, MariaDB 10.3 or later.")),
    )
    for number in numbers
}
# What PyMySQL raises on bytes that are not its protocol, such as a web server's.
_GARBLED = (ValueError, LookupError, TypeError, NameError, AttributeError, AssertionError, RuntimeError, OverflowError, struct.error)
# What the socket says, or lies behind an error of PyMySQL's; the first that fits counts.
_CAUSES: tuple[tuple[tuple[type[Exception], ...], _Meaning], ...] = (
    ((UnicodeDecodeError,), _NO_PROTOCOL),
    ((socket.gaierror, UnicodeError), (UnreachableError, Reason.HOST_UNKNOWN, "check the host and the name servers.")),
    ((ConnectionRefusedError,), (UnreachableError, Reason.CONNECTION_REFUSED, "is the server running, and is the port right?")),
    ((ConnectionError, ssl.SSLEOFError), _DISCONNECTED),
    ((ssl.SSLError,), _TLS),
    ((OSError,), (UnreachableError, Reason.TIMEOUT, "check the address, route and firewall.")),
    (_GARBLED, _NO_PROTOCOL),
)
_NO_SOCKET = (UnreachableError, Reason.INTERNAL_ERROR, "this machine has run out of sockets.")


def native_number(error: BaseException) -> object:
    """The error number of the server, or of PyMySQL if it is above 2000."""
    return error.args[0] if error.args else None


@contextmanager
def translating(instance: Instance, *watches: Watch, is_connected: bool = True) -> Generator[None]:
    """Turn whatever the driver or the socket raises into a `TargetError`: one that is connected is no longer unreachable."""
    try:
        yield
    except (pymysql.MySQLError, OSError, *_GARBLED) as error:
        cause = (isinstance(error, pymysql.MySQLError) and error.__context__) or error
        where = f"MySQL at {instance.address}"
        silent = next((watch.reason for watch in watches if watch.reason), Reason.TIMEOUT if isinstance(cause, TimeoutError) else None)
        if silent:
            kind, reason = UnreachableError, silent
            cancelled = silent is Reason.CANCELLED
            sentence = f"The probe of {where} was stopped." if cancelled else f"{where} did not answer within its deadline."
        else:
            kind, reason, advice = _meaning(error, cause)
            sentence = f"{where}: {' '.join(str(error.args[-1] if error.args else error).split())}; {advice}"
        raise (SizesError if is_connected and kind is UnreachableError else kind)(sentence, reason=reason) from error


def _meaning(error: BaseException, cause: BaseException) -> _Meaning:
    if isinstance(cause, OSError) and cause.errno in {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL}:
        return _NO_SOCKET
    for causes, meaning in _CAUSES:
        if isinstance(cause, causes):
            return meaning
    number = native_number(error)
    unknown = (SizesError, Reason.SERVER_ERROR, f"the server's error {number}.") if isinstance(number, int) else _NO_PROTOCOL
    return _NUMBERS.get(number, unknown)
