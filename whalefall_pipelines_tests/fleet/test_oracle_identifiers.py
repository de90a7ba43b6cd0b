"""What an Oracle reports besides sizes: its identity, identifiers of tablespaces, names that are not valid text, shared bytes."""

from collections.abc import Iterator

import pytest

from whalefall_pipelines.domain.instances import Engine, Instance, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Volume, total_of
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watch
from whalefall_pipelines.fleet.oracle.sizes import OracleSizes
from whalefall_pipelines_tests.servers.oracle import targets
from whalefall_pipelines_tests.servers.oracle.double import IDENTIFIERS, IDENTITY, SHARED, VIEWS, VOLUMES, OracleDouble
from whalefall_pipelines_tests.servers.oracle.targets import new_server, probing
from whalefall_pipelines_tests.servers.probes import failure

leftovers = targets.leftovers
BYTES = ("caf\udce9", "caf\udce8", "caf\\udce9", "café")


def probe_of(double: OracleDouble) -> OracleSizes:
    return OracleSizes(double, Instance(1, "target", Engine.ORACLE, "db", 1521, "monitor"), Watch())


@pytest.fixture
def double() -> Iterator[OracleDouble]:
    """Two tablespaces, of which one is temporary."""
    made = OracleDouble()
    made.add_tablespace("USERS", (1, None))
    made.add_tablespace("TEMP", (2, None), contents="TEMPORARY")
    yield made
    made.database.close()


def test_a_rename_keeps_the_identifier_and_a_tablespace_made_anew_has_another(double: OracleDouble) -> None:
    before = probe_of(double).list_databases()
    assert None not in before.values()
    assert len(set(before.values())) == 2
    assert probe_of(double).list_databases() == before
    double.rename_tablespace("USERS", "PEOPLE")
    assert probe_of(double).list_databases() == {"PEOPLE": before["USERS"], "TEMP": before["TEMP"]}
    double.recreate_tablespace("PEOPLE")
    after = probe_of(double).list_databases()
    assert after["PEOPLE"] not in {None, before["USERS"]}
    assert after["TEMP"] == before["TEMP"]


def test_a_database_says_which_it_is_in_which_container_and_since_when_it_runs(double: OracleDouble) -> None:
    assert probe_of(double).identity() == ServerIdentity("1611/3022", started_at="2026-11-01T06:00:00")
    double.run("""update sys."v_$database" set con_dbid = 4033, database_role = 'PHYSICAL STANDBY'""")
    double.run("""update sys."v_$instance" set parallel = 'YES'""")
    assert probe_of(double).identity() == ServerIdentity("1611/4033", is_replica=True)
    double.run("""update sys."v_$database" set database_role = 'LOGICAL STANDBY'""")
    assert probe_of(double).identity() == ServerIdentity("1611/4033")


def test_redo_logs_and_control_files_are_shared_bytes_of_the_whole_database_and_of_no_pdb(double: OracleDouble) -> None:
    double.run("""insert into sys."v_$log" values (1, 1000, 2), (2, 1000, 2)""")
    double.run("""insert into sys."v_$standby_log" values (7, 500)""")
    double.run("""insert into sys."v_$logfile" values (1), (1), (2), (2), (7), (7)""")
    double.run("""insert into sys."v_$controlfile" values (16384, 10), (16384, 10)""")
    assert total_of(probe_of(double).measure_shared()) == 0
    for container in (0, 1):
        double.run("update container set con_id = ?", container)
        assert total_of(probe_of(double).measure_shared()) == 4 * 1000 + 2 * 500 + 2 * 16384 * 10


def test_disk_groups_are_as_large_as_what_files_may_take_of_them(double: OracleDouble) -> None:
    double.run(
        """insert into sys."v_$asm_diskgroup_stat" values ('DATA', 'NORMAL', 1001, 600, 250), ('FRA', 'EXTERN', 800, 90, 90), """
        """('HIGH', 'HIGH', 900, 100, -50)"""
    )
    mebibyte = 1 << 20
    assert list(probe_of(double).measure_volumes()) == [
        Volume("DATA", 500 * mebibyte, 250 * mebibyte),
        Volume("FRA", 800 * mebibyte, 90 * mebibyte),
        Volume("HIGH", 300 * mebibyte, 0),
    ]
    double.revoke(*VOLUMES)
    assert list(probe_of(double).measure_volumes()) == []


def test_what_the_login_may_not_query_is_unknown_and_affects_nothing_else(double: OracleDouble) -> None:
    double.run("update container set con_id = 0")
    double.revoke(*IDENTITY, *IDENTIFIERS, *SHARED)
    probe = probe_of(double)
    assert (probe.identity(), total_of(probe.measure_shared()), probe.list_databases()) == (None, None, {"USERS": None, "TEMP": None})
    missing = {right.statement for right in probe.privileges() if not right.is_held and right.is_optional}
    for views in (IDENTITY, IDENTIFIERS, SHARED):
        assert " ".join(f'GRANT SELECT ON sys.{view} TO "WHALEFALL";' for view in views) in missing


@pytest.mark.parametrize("number", [904, 600, 1013])
def test_what_fails_is_unknown_and_affects_nothing_else(double: OracleDouble, number: int) -> None:
    """904 is a column that Oracle 11g does not have."""
    double.run("update container set con_id = 0")
    probe = probe_of(double)
    double.failure, double.failure_on = number, "v_$"
    assert (probe.identity(), total_of(probe.measure_shared()), probe.list_databases()) == (None, None, {"USERS": None, "TEMP": None})


@pytest.mark.parametrize("is_utf_8", [True, False])
def test_names_that_are_not_valid_text_are_distinguished_and_measured(is_utf_8: bool) -> None:
    """The server sends U+FFFD for what its character set does not have, and bytes that are not UTF-8 where it assumes they are."""
    with new_server() as server:
        server.double.is_utf_8 = is_utf_8
        for size, name in enumerate(BYTES, 10):
            server.double.add_tablespace(name, (size, None), used_blocks=0)
        names = ["caf\\udce9", "caf\\udce8", "caf\\\\udce9", "café"]
        with probing(server.host, server.port) as probe:
            listed = probe.list_databases()
            outcomes = probe.measure(names)
    assert {*names, "USERS"} < set(listed)
    assert len({listed[name] for name in names} - {None}) == 4
    sizes = [(outcome.total_bytes, outcome.used_bytes) for outcome in outcomes if isinstance(outcome, DatabaseSize)]
    assert sizes == [(10, 0), (11, 0), (12, 0), (13, 0)]


def test_select_any_dictionary_is_every_privilege(double: OracleDouble) -> None:
    double.revoke(*VIEWS)
    double.run("insert into sys.session_privs values ('SELECT ANY DICTIONARY')")
    probe = probe_of(double)
    assert all(right.is_held for right in probe.privileges())
    assert set(probe.list_databases()) == {"USERS", "TEMP"}


@pytest.mark.parametrize("view", ["all_views", "product_component_version"])
def test_privileges_revoked_from_public_are_named_with_the_grants(double: OracleDouble, view: str) -> None:
    double.failure, double.failure_on = 942, view
    with failure(Reason.NO_PERMISSION, SizesError) as messages:
        probe_of(double)
    assert f"GRANT SELECT ON sys.{view} TO monitor;" in messages[0]


def test_on_amazon_rds_the_grants_can_be_run_there(double: OracleDouble) -> None:
    double.run("insert into sys.all_users values ('RDSADMIN')")
    double.revoke("dba_tablespaces")
    probe = probe_of(double)
    (right,) = (right for right in probe.privileges() if not right.is_held)
    assert right.statement == "BEGIN rdsadmin.rdsadmin_util.grant_sys_object('DBA_TABLESPACES', 'WHALEFALL', 'SELECT'); END;"
    with failure(Reason.NO_PERMISSION, SizesError) as messages:
        probe.list_databases()
    assert messages[0].endswith(f"run on that server: {right.statement}")


def test_objects_of_the_login_do_not_stand_in_the_place_of_the_dictionarys(double: OracleDouble) -> None:
    """A table, view or synonym of the login's own schema takes precedence over every public one."""
    for view in VIEWS:
        double.run(f'create table "{view}" as select 1 as lie')
    double.run("create table all_views as select 'SYS' as owner, 'DBA_TABLESPACES' as view_name")
    probe = probe_of(double)
    assert set(probe.list_databases()) == {"USERS", "TEMP"}
    assert [outcome.total_bytes for outcome in probe.measure(["USERS", "TEMP"]) if isinstance(outcome, DatabaseSize)] == [1, 2]
