"""What a SQL Server reports besides sizes: its identity, identifiers of databases, names that are not valid text, shared bytes."""

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, Volume, total_of
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.sizes import SizesProbe
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines_tests.servers.probes import failure
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.catalogue import RESOURCE_BYTES
from whalefall_pipelines_tests.servers.sqlserver.messages import ServerError
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, MINIMAL, SEES_STATE, new_server, probing

driver, server = targets.driver, targets.server
PAGE = 8192
HALF, OTHER_HALF, NUL = "caf\ud83d", "caf\ud83e", "a\0b"


def listed(driver: Driver, server: SqlServer) -> dict[str, str | None]:
    with probing(driver, server) as probe:
        return dict(probe.list_databases())


def identifiers(driver: Driver, server: SqlServer, *names: str) -> list[str | None]:
    identifiers_by_name = listed(driver, server)
    return [identifiers_by_name[name] for name in names]


def test_a_rename_keeps_the_identifier_and_a_database_made_anew_has_another(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop")
    server.catalogue.add_database("crm")
    shop, crm = identifiers(driver, server, "shop", "crm")
    assert None not in {shop, crm}
    assert shop != crm
    server.catalogue.rename_database("shop", "store")
    server.catalogue.drop_database("crm")
    server.catalogue.add_database("crm")
    (store, new_crm) = identifiers(driver, server, "store", "crm")
    assert store == shop
    assert new_crm not in {None, crm}


def test_system_databases_keep_their_identifiers_when_the_server_restarts(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop")
    before = listed(driver, server)
    server.catalogue.restart()
    assert listed(driver, server) == before
    assert [before[name] for name in ("master", "tempdb", "model", "msdb")] == ["1", "2", "3", "4"]


def test_a_server_reports_its_identity_and_start_time(driver: Driver, server: SqlServer) -> None:
    with probing(driver, server) as probe:
        first = probe.identity()
    with probing(driver, server) as probe:
        assert probe.identity() == first
    server.catalogue.restart()
    with probing(driver, server) as probe:
        second = probe.identity()
    with new_server() as stranger, probing(driver, stranger) as probe:
        third = probe.identity()
    assert first
    assert second
    assert third
    assert (first.name, first.is_replica) == (second.name, False)
    assert first.started_at != second.started_at
    assert first.name.startswith("FIXTURE01/")
    assert third.name != first.name


def test_a_login_that_does_not_see_msdb_learns_no_identity(driver: Driver, server: SqlServer) -> None:
    server.catalogue.revoke(LOGIN.username, "VIEW ANY DATABASE")
    with probing(driver, server) as probe:
        assert probe.identity() is None


def test_shared_bytes_are_those_of_snapshots_and_of_the_resource_database(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", data_pages=1000)
    server.catalogue.add_database("shop_at_noon", data_pages=1000, snapshot_of="shop", sparse_bytes=3 * 65536)
    server.catalogue.revoke(LOGIN.username, SEES_STATE)
    with probing(driver, server) as probe:
        assert total_of(probe.measure_shared()) is None
        (right,) = (right for right in probe.privileges() if not right.is_held)
    assert (right.statement, right.is_optional) == ("GRANT VIEW SERVER STATE TO [monitor];", True)
    server.catalogue.grant(LOGIN.username, SEES_STATE)
    with probing(driver, server) as probe:
        assert total_of(probe.measure_shared()) == RESOURCE_BYTES + 3 * 65536
        assert all(right.is_held for right in probe.privileges())
        server.next_error, server.error_on = ServerError(8134, "as told"), "dm_io_virtual_file_stats"
        assert total_of(probe.measure_shared()) is None


def test_volumes_are_known_with_the_privilege(driver: Driver, server: SqlServer) -> None:
    server.catalogue.run("insert into server.volumes values ('C:\\', 1000, 400), ('D:\\data\\', 5000000000000, 0)")
    with probing(driver, server) as probe:
        assert sorted(probe.measure_volumes(), key=lambda volume: volume.volume) == [
            *(Volume("C:\\", 1000, 400), Volume("D:\\data\\", 5_000_000_000_000, 0)),
        ]
    server.catalogue.revoke(LOGIN.username, SEES_STATE)
    with probing(driver, server) as probe:
        assert probe.measure_volumes() == ()


def test_databases_that_are_hidden_are_not_taken_for_shared_bytes(driver: Driver, server: SqlServer) -> None:
    server.catalogue.revoke(LOGIN.username, "VIEW ANY DATABASE")
    with probing(driver, server) as probe:
        assert total_of(probe.measure_shared()) is None


def measured(probe: SizesProbe, *names: str) -> list[int]:
    return [outcome.total_bytes // PAGE for outcome in probe.measure(names) if isinstance(outcome, DatabaseSize)]


def test_names_that_are_not_valid_text_are_distinguished_and_measured(driver: Driver, server: SqlServer) -> None:
    """Half a surrogate pair and NUL are valid in a name there; PostgreSQL's text allows neither."""
    for pages, name in enumerate((HALF, OTHER_HALF, NUL, "caf\\ud83d", "café 🐋"), 1):
        server.catalogue.add_database(name, data_pages=pages, log_pages=0, used_pages=pages)
    names = ["caf\\ud83d", "caf\\ud83e", "a\\u0000b", "caf\\\\ud83d", "café 🐋"]
    with probing(driver, server) as probe:
        assert set(names) < set(probe.list_databases())
        assert measured(probe, *names) == [1, 2, 3, 4, 5]
        assert [outcome.used_bytes for outcome in probe.measure(names) if isinstance(outcome, DatabaseSize)] == [
            *[None] * 3,  # no driver can query by such a name
            4 * PAGE,
            5 * PAGE,
        ]


def test_containers_of_a_name_that_is_not_valid_text_affect_only_that_database(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database(HALF, container_pages=7)
    server.catalogue.add_database("shop", data_pages=1, log_pages=1)
    with probing(driver, server) as probe:
        (missing, _) = probe.measure(["caf\\ud83d", "shop"])
        assert measured(probe, "caf\\ud83d", "shop") == [2]
    assert isinstance(missing, MissingSize)
    assert (missing.reason, "rename it" in missing.detail) == (Reason.INCOMPLETE, True)


def test_on_amazon_rds_only_statements_that_can_run_there_are_suggested(driver: Driver) -> None:
    """The administrator there does not hold CONNECT ANY DATABASE and cannot grant it; a user in the database does the same."""
    with new_server(*MINIMAL) as server:
        server.catalogue.add_database("rdsadmin")
        server.catalogue.add_database("shop", container_pages=7)
        with probing(driver, server) as probe:
            (missing,) = probe.measure(["shop"])
            advice = [right.statement for right in probe.privileges()]
    assert missing == MissingSize("shop", Reason.NO_PERMISSION, "USE [shop]; CREATE USER [monitor] FOR LOGIN [monitor];")
    assert not any("CONNECT ANY DATABASE" in statement for statement in advice)


@pytest.mark.parametrize("how", ["revoked", "denied", "sees its own"])
def test_a_part_of_the_listing_is_never_taken_for_all_of_it(driver: Driver, server: SqlServer, how: str) -> None:
    server.catalogue.add_database("shop", owner=LOGIN.username if how == "sees its own" else None)
    if how == "denied":
        server.catalogue.deny(LOGIN.username, "VIEW ANY DATABASE")
    else:
        server.catalogue.revoke(LOGIN.username, "VIEW ANY DATABASE")
    with probing(driver, server) as probe:
        (grant, *_) = (right.statement for right in probe.privileges() if not right.is_held)
        with failure(Reason.NO_PERMISSION, SizesError, LOGIN.password) as messages:
            probe.list_databases()
    assert messages[0].endswith(f"run on that server: {grant}")


def test_used_space_is_unknown_where_objects_are_hidden(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", used_pages=5)
    server.catalogue.deny(LOGIN.username, "VIEW DEFINITION ON [shop]")
    with probing(driver, server) as probe:
        (size,) = probe.measure(["shop"])
    assert isinstance(size, DatabaseSize)
    assert size.used_bytes is None
