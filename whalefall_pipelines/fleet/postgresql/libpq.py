"""What psycopg2 does not pass on of the libpq that it is linked to, by four of libpq's documented functions.

An error at connecting carries no SQLSTATE in psycopg2; with libpq's verbose wording it stands in the text, in whatever language the
server speaks. Every parameter that is not given is taken from the environment of this process; libpq itself tells which there are.
"""

import ctypes
import os
from functools import cache

from psycopg2 import _psycopg
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn

# Symbols of a library are looked up in what it is linked to as well, so this is the very libpq that psycopg2 uses.
_LIBPQ = ctypes.CDLL(_psycopg.__file__)
_DEFAULT, _VERBOSE = 1, 2
# libpq reads these, too, and there is no parameter that would overrule them.
_IRREFUTABLE = ("PGSERVICE", "PGTZ", "PGDATESTYLE", "PGGEQO")


class _Option(ctypes.Structure):
    """PQconninfoOption."""

    _fields_ = (
        ("keyword", ctypes.c_char_p),
        ("variable", ctypes.c_char_p),
        ("compiled", ctypes.c_char_p),
        *((name, ctypes.c_char_p) for name in ("value", "label", "display")),
        ("size", ctypes.c_int),
    )


_LIBPQ.PQconndefaults.restype = ctypes.POINTER(_Option)
_LIBPQ.PQconninfoFree.argtypes = (ctypes.POINTER(_Option),)
_LIBPQ.PQerrorMessage.restype = ctypes.c_char_p
_LIBPQ.PQerrorMessage.argtypes = (ctypes.c_void_p,)
_LIBPQ.PQsetErrorVerbosity.argtypes = (ctypes.c_void_p, ctypes.c_int)


# What a parameter without a value built in is to be, so that neither the environment nor the home folder is asked for it.
_NO_FILE = "/dev/null/none"
_NEUTRAL = {
    "passfile": _NO_FILE,
    "sslrootcert": _NO_FILE,
    "sslcert": _NO_FILE,
    "sslkey": _NO_FILE,
    "sslcrl": _NO_FILE,
    "sslcrldir": _NO_FILE,
    "sslcertmode": "disable",
    "require_auth": "!sspi",  # that is Windows' own, so every other way is allowed
    "min_protocol_version": "3.0",
    "max_protocol_version": "3.0",
    "connect_timeout": "0",
    **dict.fromkeys(("options", "requirepeer", "ssl_max_protocol_version", "gsslib"), ""),
}


@cache
def neutral_parameters() -> str:
    """What libpq would look for in the environment or the home folder, as it is where nothing is set there; for this very libpq.

    It is the beginning of a connection string: what follows overrules it.
    """
    options = _LIBPQ.PQconndefaults()
    parameters: dict[str, str] = {}
    for option in options:
        if option.keyword is None:
            break
        keyword, compiled = option.keyword.decode(), option.compiled and option.compiled.decode()
        value = _NEUTRAL.get(keyword, compiled)
        if option.variable and value is not None:
            parameters[keyword] = value
    _LIBPQ.PQconninfoFree(options)
    return make_dsn(**parameters | {"gssencmode": "disable"})  # a ticket of this machine's is no login of the instance's


def forget_environment() -> None:
    """Take the variables that no parameter overrules out of the environment of this process."""
    for variable in _IRREFUTABLE:
        os.environ.pop(variable, None)


def tell_sqlstate(connection: Connection, *, is_told: bool) -> None:
    """Have the SQLSTATE written into error texts of a connection, or not."""
    _LIBPQ.PQsetErrorVerbosity(connection.pgconn_ptr, _VERBOSE if is_told else _DEFAULT)


def error_text(connection: Connection) -> str:
    """The text of the last error; bytes that are no UTF-8 as escapes, for servers speak as they like before the login."""
    return bytes(_LIBPQ.PQerrorMessage(connection.pgconn_ptr) or b"").decode("utf-8", "backslashreplace")
