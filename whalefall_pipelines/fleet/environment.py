"""What drivers read from the collector's environment by themselves: it must not change where a visit goes or what it says there.

A variable that a server's secret may have for a name is none of these.
"""

import os

# Other files than the system's own for drivers; what FreeTDS puts before the address and the protocol of an instance; where it writes down
# what is said.
_ODBC = ("ODBCINI", "ODBCINSTINI", "ODBCSYSINI", "ODBCSEARCH")
_FREETDS = ("FREETDS", "FREETDSCONF", "TDSVER", "TDSPORT", "TDSHOST", "TDSQUERY", "TDSDUMP", "TDSDUMPCONFIG")
# Names for addresses, the time zone of the session, a debugger that the server shall call, every packet on the screen.
_ORACLE = ("TNS_ADMIN", "ORA_SDTZ", "ORA_DEBUG_JDWP", "PYO_DEBUG_PACKETS")


def forget_driver_settings() -> None:
    """Take these variables out of this process and out of those that it starts; before a driver is loaded, which may read them then."""
    for name in (*_ODBC, *_FREETDS, *_ORACLE):
        os.environ.pop(name, None)
