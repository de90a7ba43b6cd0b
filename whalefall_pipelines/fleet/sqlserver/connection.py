"""The connection to a SQL Server: the reachability check, the ODBC login, the socket watch, and the translation of errors by number.

SQLSTATEs and texts differ between drivers: a wrong password is 42000 of FreeTDS and 28000 of Microsoft's, both 18456 of the server.
Which driver, and how it is told, is `odbc.py`, its socket `sockets.py`; what is asked is `sizes.py`.
"""

import errno
import math
import re
import socket
from collections.abc import Generator
from contextlib import contextmanager

import pyodbc

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sockets import new_socket, opening, reach
from whalefall_pipelines.fleet.sqlserver.odbc import Driver, connection_string


def open_connection(driver: Driver, instance: Instance, login: Login, deadlines: Deadlines, watch: Watch) -> pyodbc.Connection:
    """Connect and log in.

    The address is tried first by a connection of our own that is closed at once: Microsoft's driver tells a refused port from a silent
    host by nothing but the time that it takes.
    """
    text = connection_string(driver, instance, login)
    seconds = min(deadlines.connect_seconds, deadlines.instance_seconds)
    with translating(instance, watch, is_connected=False):
        peers = reach(instance.host, instance.port, seconds)
        with opening(peers, seconds) as before:
            connection = _log_in(text, instance, seconds)
            descriptor = new_socket(peers, before)
    if descriptor is not None:
        watch.attach(descriptor)
    connection.timeout = math.ceil(deadlines.statement_seconds)  # before the first cursor, which copies it
    return connection


def _log_in(text: str, instance: Instance, seconds: float) -> pyodbc.Connection:
    try:
        return pyodbc.connect(text, timeout=math.ceil(seconds), autocommit=True)
    except pyodbc.Error as error:
        if _meaning_of_odbc(error, _DISCONNECTED) is not _DISCONNECTED:
            raise
        # FreeTDS says no more than "Unable to connect to data source": only now the server is asked by ourselves what it speaks.
        kind, reason, advice = _what_answers(instance, seconds)
        raise kind(f"SQL Server at {instance.address}: {_message(error)}; {advice}", reason=reason) from error


_Meaning = tuple[type[TargetError], Reason, str]
_REFUSED = (LoginRejectedError, Reason.AUTHENTICATION_FAILED, "check the credential of the instance.")
_LOCKED = (LoginRejectedError, Reason.AUTHENTICATION_FAILED, "the login is disabled or locked, or its password has expired.")
_NO_DATABASE = (LoginRejectedError, Reason.UNAVAILABLE, "correct the default database of the instance.")
_BUSY = (UnreachableError, Reason.UNAVAILABLE, "it will be retried.")
_DISCONNECTED = (UnreachableError, Reason.UNAVAILABLE, "the server closed the connection; it will be retried.")
_FORBIDDEN = (SizesError, Reason.NO_PERMISSION, "grant the privileges that `whalefall instances test` lists.")
_CLOSED = (SizesError, Reason.UNAVAILABLE, "the database is not open.")
_SLOW = (SizesError, Reason.TIMEOUT, "a statement took longer than its deadline.")
_TOO_OLD = (SizesError, Reason.SERVER_ERROR, "whalefall needs SQL Server 2014 or later; Azure SQL Database has no list of files.")
_UNREADABLE = (
    SizesError,
    Reason.SERVER_ERROR,
    "a name on the server is not valid text and may have been cut off in the middle of a character; rename that object.",
)
_TLS = (LoginRejectedError, Reason.TLS_FAILED, "check sslmode of the instance, and the server's certificate.")
_NO_PROTOCOL = (UnreachableError, Reason.SERVER_ERROR, "this is not SQL Server; check the port.")
_NO_DRIVER = (UnreachableError, Reason.INTERNAL_ERROR, "the ODBC driver cannot be loaded; reinstall it.")
_NO_SOCKET = (UnreachableError, Reason.INTERNAL_ERROR, "this machine has run out of sockets.")
_TIMEOUT = (UnreachableError, Reason.TIMEOUT, "check the address, route and firewall.")
# What the server's error numbers mean (sys.messages).
_NUMBERS: dict[int, _Meaning] = {
    number: meaning
    for numbers, meaning in (
        ((18450, 18452, 18456), _REFUSED),
        ((18470, 18486, 18487, 18488), _LOCKED),
        ((4060, 4064), _NO_DATABASE),
        ((1205, 6005, 10928, 10929, 17142, 17809, 17810, 18401, 18458, 18459), _BUSY),
        ((596, 6002), _DISCONNECTED),
        ((229, 230, 262, 297, 300, 371, 916), _FORBIDDEN),
        ((904, 922, 924, 927, 942, 945, 952, 976, 978, 979, 982, 983), _CLOSED),
        ((1222,), _SLOW),
        ((102, 195, 207, 208), _TOO_OLD),
    )
    for number in numbers
}
# What drivers say where the server said nothing: by SQLSTATE or text, the first that fits.
_OWN_ERRORS: tuple[tuple[str, _Meaning], ...] = (
    (r"SSL|TLS|certificate|[Ee]ncryption", _TLS),
    (r"Can't open lib|IM00[0-9]", _NO_DRIVER),
    (r"HYT0", _TIMEOUT),
)
# What Python says of the socket, or of a text; the first that fits.
_CAUSES: tuple[tuple[tuple[type[BaseException], ...], _Meaning], ...] = (
    ((UnicodeDecodeError,), _UNREADABLE),
    ((socket.gaierror, UnicodeError), (UnreachableError, Reason.HOST_UNKNOWN, "check the host and the name servers.")),
    ((ConnectionRefusedError,), (UnreachableError, Reason.CONNECTION_REFUSED, "is the server running, and is the port right?")),
    ((ConnectionError,), _DISCONNECTED),
)
# A prelogin message with a version and no wish to encrypt, and the beginning of every answer to one: a whole response, version first.
_HELLO = bytes.fromhex("12 01 001a 0000 01 00  00 000b 0006  01 0011 0001  ff  000000000000 00")
_IS_ANSWER = re.compile(rb"\x04\x01.{6}\x00", re.DOTALL)


@contextmanager
def translating(instance: Instance, watch: Watch, *, is_connected: bool = True) -> Generator[None]:
    """Turn whatever ODBC or the socket raises into a `TargetError`: one that is connected is no longer unreachable."""
    try:
        yield
    except (pyodbc.Error, OSError, UnicodeError) as error:
        where = f"SQL Server at {instance.address}"
        kind, reason, advice = _meaning(error)
        if watch.reason or reason is Reason.TIMEOUT:
            kind, reason = UnreachableError, watch.reason or reason
            cancelled = reason is Reason.CANCELLED
            sentence = f"The probe of {where} was stopped." if cancelled else f"{where} did not answer within its deadline."
        else:
            sentence = f"{where}: {_message(error)}; {advice}"
        raise (SizesError if is_connected and kind is UnreachableError else kind)(sentence, reason=reason) from error


def _what_answers(instance: Instance, seconds: float) -> _Meaning:
    """Say hello in the server's own protocol, and see what comes back."""
    try:
        with socket.create_connection((instance.host, instance.port), seconds) as trial:
            trial.sendall(_HELLO)
            answer = trial.recv(4096)
    except TimeoutError:
        return _TIMEOUT
    except OSError:
        return _DISCONNECTED
    if not answer:
        return _DISCONNECTED
    if not _IS_ANSWER.match(answer):
        return _NO_PROTOCOL
    return _TLS if instance.sslmode in {"disable", "require"} else _DISCONNECTED


def _meaning(error: BaseException) -> _Meaning:
    if isinstance(error, pyodbc.Error):
        return _meaning_of_odbc(error, _DISCONNECTED)
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL}:
        return _NO_SOCKET
    return next((meaning for causes, meaning in _CAUSES if isinstance(error, causes)), _TIMEOUT)


def _meaning_of_odbc(error: pyodbc.Error, otherwise: _Meaning) -> _Meaning:
    number = native_number(error)
    if number is not None:
        return _NUMBERS.get(number, (SizesError, Reason.SERVER_ERROR, f"the server's error {number}."))
    text = " ".join(str(argument) for argument in error.args)
    return next((meaning for pattern, meaning in _OWN_ERRORS if re.search(pattern, text)), otherwise)


def native_number(error: pyodbc.Error) -> int | None:
    """The server's own number of an error; None where the driver speaks for itself.

    Microsoft's driver does not put the server's mark before what it says itself; FreeTDS does, with the numbers 0 and 20002 to 20049.
    """
    text, number = _first_record(error)
    return number if number > 0 and "[SQL Server]" in text and number not in range(20002, 20050) else None


def _first_record(error: pyodbc.Error) -> tuple[str, int]:
    """Text and number of what came first. The last such end counts: names in the text may look like one."""
    message = str(error.args[-1]) if error.args else "no message"
    match = re.match(r"(.*) \((-?\d+)\) \(SQL\w+\)", message, re.DOTALL)
    return (match[1], int(match[2])) if match else (message, 0)


def _message(error: BaseException) -> str:
    """The first sentence of an error, without the marks that drivers put before it."""
    message = _first_record(error)[0] if isinstance(error, pyodbc.Error) else str(error.args[-1] if error.args else error)
    return " ".join(re.sub(r"^(\[[^\]]*\] ?)+", "", message).split()).rstrip(".")
