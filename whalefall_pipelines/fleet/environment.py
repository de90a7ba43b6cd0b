"""Removes environment variables that drivers read by themselves, because they must not change where a probe connects or what it sends.

None of these variables may hold a server's secret.
"""

import os

# Alternative configuration files for drivers; FreeTDS overrides of the address and the protocol of an instance; FreeTDS log files.
_ODBC = ("ODBCINI", "ODBCINSTINI", "ODBCSYSINI", "ODBCSEARCH")
_FREETDS = ("FREETDS", "FREETDSCONF", "TDSVER", "TDSPORT", "TDSHOST", "TDSQUERY", "TDSDUMP", "TDSDUMPCONFIG")
# Oracle: address names, the time zone of the session, a debugger that the server connects to, a packet trace.
_ORACLE = ("TNS_ADMIN", "ORA_SDTZ", "ORA_DEBUG_JDWP", "PYO_DEBUG_PACKETS")


def forget_driver_settings() -> None:
    """Remove these variables from this process and its children. Call it before a driver is loaded, which may read them."""
    for name in (*_ODBC, *_FREETDS, *_ORACLE):
        os.environ.pop(name, None)
