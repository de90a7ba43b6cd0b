"""Settings for ODBC, FreeTDS and Oracle's clients in the collector's environment and home folder do not change a probe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from whalefall_pipelines_tests.servers.oracle import targets as oracle
from whalefall_pipelines_tests.servers.sqlserver import targets as sqlserver
from whalefall_pipelines_tests.servers.sqlserver.targets import driver_of, new_server

pytestmark = pytest.mark.process
leftovers = oracle.leftovers
_PROBE_SQLSERVER = """
import sys
from whalefall_pipelines.fleet.connect import ServerFleet
ServerFleet()
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.sqlserver.sizes import connect_through
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, driver_of, instance_at
from whalefall_pipelines_tests.servers.probes import PATIENT

with connect_through(driver_of(sys.argv[3]), instance_at(sys.argv[1], int(sys.argv[2])), LOGIN, PATIENT, Watchdog()) as probe:
    print(sorted(probe.list_databases()))
"""
_PROBE_ORACLE = """
import sys
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES

instance = Instance(1, "target", Engine.ORACLE, sys.argv[1], int(sys.argv[2]), sys.argv[3])
with ServerFleet().connect(SIZES, instance, Login(sys.argv[3], sys.argv[4])) as probe:
    print(sorted(probe.list_databases()))
"""
_FREETDS = """
[global]
host = 127.0.0.9
port = 1
tds version = 4.2
dump file = {folder}/conversation
[127.0.0.1]
host = 127.0.0.9
port = 1
"""
_DRIVERS = """
[FreeTDS]
Driver = /nowhere.so
[ODBC Driver 18 for SQL Server]
Driver = /nowhere.so
[ODBC]
Trace = Yes
TraceFile = {folder}/trace
"""
_TNS = "127.0.0.1 = (DESCRIPTION = (ADDRESS = (PROTOCOL = TCP)(HOST = 127.0.0.9)(PORT = 1))(CONNECT_DATA = (SERVICE_NAME = OTHER)))\n"


def probed(script: str, environment: dict[str, str], *arguments: str) -> str:
    """The output of a probe in its own process."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that redirect every client to another server."""
    for name, text in {
        ".freetds.conf": _FREETDS,
        "freetds.conf": _FREETDS,
        ".odbc.ini": _DRIVERS,
        "odbcinst.ini": _DRIVERS,
        "tnsnames.ora": _TNS,
        "sqlnet.ora": "SQLNET.OUTBOUND_CONNECT_TIMEOUT = 1\nNAMES.DIRECTORY_PATH = (LDAP)\n",
    }.items():
        (tmp_path / name).write_text(text.format(folder=tmp_path) if "{folder}" in text else text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("driver", sqlserver.DRIVERS)
@pytest.mark.parametrize("kind", ["FreeTDS", "unixODBC", "home"])
def test_a_sql_server_is_probed_as_its_instance_says(folder: Path, driver: str, kind: str) -> None:
    driver_of(driver)
    freetds = {"TDSPORT": "1", "TDSHOST": "127.0.0.9", "TDSVER": "4.2", "FREETDSCONF": f"{folder}/freetds.conf", "FREETDS": str(folder)}
    environment = {
        "FreeTDS": freetds | {"TDSDUMP": f"{folder}/dump", "TDSDUMPCONFIG": f"{folder}/dump"},
        "unixODBC": {"ODBCSYSINI": str(folder), "ODBCINSTINI": "odbcinst.ini", "ODBCINI": f"{folder}/.odbc.ini"},
        "home": {"HOME": str(folder)},
    }[kind]
    before = {path.name for path in folder.iterdir()}
    with new_server() as server:
        output = probed(_PROBE_SQLSERVER, environment, server.host, str(server.port), driver)
    assert output == "['master', 'model', 'msdb', 'tempdb']"
    assert {path.name for path in folder.iterdir()} == before


def test_an_oracle_is_probed_as_its_instance_says(folder: Path) -> None:
    environment = dict.fromkeys(("TNS_ADMIN", "ORACLE_HOME", "ORACLE_BASE", "HOME"), str(folder))
    environment |= dict.fromkeys(("ORACLE_SID", "TWO_TASK", "LOCAL"), "OTHER")
    environment |= {"NLS_LANG": "GERMAN_GERMANY.WE8ISO8859P1", "NLS_DATE_FORMAT": "YYYY", "ORA_SDTZ": "nonsense"}
    environment |= {"PYO_DEBUG_PACKETS": "1", "ORA_DEBUG_JDWP": "host=127.0.0.9;port=1"}
    with oracle.new_server() as server:
        output = probed(_PROBE_ORACLE, environment, server.host, str(server.port), oracle.LOGIN.username, str(oracle.LOGIN.password))
    assert output == "['SYSTEM', 'TEMP', 'USERS']"
