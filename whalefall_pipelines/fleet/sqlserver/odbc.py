"""ODBC for SQL Server: finds the installed drivers and builds connection strings.

`connection.py` translates the errors.
"""

import importlib.util
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyodbc

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError

# unixODBC's pooling would keep sockets open, and give a probe the connection of another one.
pyodbc.pooling = False

_MICROSOFT = "ODBC Driver 18 for SQL Server"
_FREETDS = "FreeTDS"
_SERVER_SETTLES = {"Encrypt": "no", "TrustServerCertificate": "yes"}
_ENCRYPTED = {"Encrypt": "yes", "TrustServerCertificate": "yes"}
_VERIFIED = {"Encrypt": "yes", "TrustServerCertificate": "no"}
# Microsoft's driver encrypts at least the login wherever the server can; `off` of FreeTDS encrypts nothing, not even the password.
_MICROSOFT_MODES = {
    **dict.fromkeys(("disable", "prefer"), _SERVER_SETTLES),
    "require": _ENCRYPTED,
    **dict.fromkeys(("verify-ca", "verify-full"), _VERIFIED),
}
_FREETDS_MODES = {"disable": {"Encryption": "off"}, "prefer": {"Encryption": "request"}, "require": {"Encryption": "require"}}


@dataclass(frozen=True, slots=True)
class Driver:
    """One ODBC driver: the name under which unixODBC knows it, or the path of its library."""

    name: str
    is_microsoft: bool


def available_drivers() -> list[Driver]:
    """What this machine can reach a SQL Server with, the best first: Microsoft's, that of the pip package mssql-python-odbc, FreeTDS."""
    registered = set(pyodbc.drivers())
    drivers = [Driver(_MICROSOFT, is_microsoft=True)] if _MICROSOFT in registered else []
    drivers += [Driver(str(path), is_microsoft=True) for path in _packaged()]
    return drivers + ([Driver(_FREETDS, is_microsoft=False)] if _FREETDS in registered else [])


def _packaged() -> list[Path]:
    spec = importlib.util.find_spec("mssql_python_odbc")
    if spec is None or spec.origin is None:
        return []
    family = "debian_ubuntu" if Path("/etc/debian_version").exists() else "rhel"
    return sorted((Path(spec.origin).parent / "libs" / "linux" / family / platform.machine() / "lib").glob("libmsodbcsql-18*"))


def connection_string(driver: Driver, instance: Instance, login: Login) -> str:
    """Everything that a driver needs to know, the password included: never shown.

    Raises:
        LoginRejectedError: this driver cannot do what the instance asks for.
    """
    values = {"DRIVER": driver.name, "UID": login.username, "PWD": login.password or "", "APP": "whalefall"}
    if instance.default_database:
        values["DATABASE"] = instance.default_database
    if driver.is_microsoft:
        values |= {"SERVER": f"tcp:{instance.host},{instance.port}", "ConnectRetryCount": "0"}
    else:
        values |= {"SERVER": instance.host, "PORT": str(instance.port), "TDS_Version": "7.4", "ClientCharset": "UTF-8"}
    values |= _encryption(driver, instance)
    return "".join(f"{key}={_braced(driver, key, value)};" for key, value in values.items())


def _encryption(driver: Driver, instance: Instance) -> Mapping[str, str]:
    mode = instance.sslmode or "prefer"
    # ServerCertificate of Microsoft's driver counts with Encrypt=strict alone, which is TDS 8 (SQL Server 2022): else it passes over.
    if instance.sslrootcert and mode.startswith("verify"):
        sentence = "ODBC drivers trust only the system's authorities. Add yours there (update-ca-certificates), and leave out sslrootcert."
        raise LoginRejectedError(f"SQL Server at {instance.address}: {sentence}", reason=Reason.TLS_FAILED)
    modes = _MICROSOFT_MODES if driver.is_microsoft else _FREETDS_MODES
    if mode not in modes:
        sentence = f"FreeTDS cannot verify a certificate for sslmode {mode}: install {_MICROSOFT} or the pip package mssql-python-odbc."
        raise LoginRejectedError(f"SQL Server at {instance.address}: {sentence}", reason=Reason.TLS_FAILED)
    return modes[mode]


def _braced(driver: Driver, key: str, value: str) -> str:
    """A value of a connection string. Microsoft's driver reads }} as }, FreeTDS takes everything up to }; as it is."""
    if "\0" in value or (not driver.is_microsoft and "};" in value):
        what = "user name or password" if key in {"UID", "PWD"} else "name"
        sentence = f"ODBC cannot pass on a {what} that contains a NUL character, and FreeTDS none that contains '}};'."
        raise LoginRejectedError(sentence, reason=Reason.AUTHENTICATION_FAILED)
    return "{" + (value.replace("}", "}}") if driver.is_microsoft else value) + "}"
