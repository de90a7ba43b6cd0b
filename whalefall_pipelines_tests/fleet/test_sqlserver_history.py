"""Missed days recovered from the backup history of msdb through both drivers: which backups count, and for which day."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import Method, RecoveredSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines_tests.servers.probes import failure
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.catalogue import File
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import BACKUPS, LOGIN, MINIMAL, new_server, probing

driver, server = targets.driver, targets.server
SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 11, 16), date(2026, 11, 22)
DATA, LOG = File("D", 3_000_000_000_000), File("L", 1_000_000)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Local time of the server, as msdb stores it."""
    return datetime(2026, 11, day, hour, minute)  # noqa: DTZ001 - backup_start_date has no zone


def recovered(driver: Driver, server: SqlServer, *names: str, timezone: ZoneInfo = SHANGHAI) -> list[RecoveredSize]:
    with probing(driver, server) as probe:
        return sorted(probe.recover_sizes(names or ("shop",), FIRST, LAST, timezone), key=lambda size: (size.database_name, size.stat_date))


def days(sizes: list[RecoveredSize]) -> list[int]:
    return [size.stat_date.day for size in sizes]


def test_a_backup_gives_the_size_of_the_files_at_its_start(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_backup("shop", at(17, 22, 30), DATA, DATA, LOG)
    assert recovered(driver, server) == [
        RecoveredSize(
            database_name="shop",
            stat_date=date(2026, 11, 17),
            total_bytes=6_000_001_000_000,
            data_bytes=6_000_000_000_000,
            log_bytes=1_000_000,
            method=Method.BACKUP_FILE_SIZE,
            recorded_at=datetime(2026, 11, 17, 14, 30, tzinfo=UTC),
        )
    ]


def test_the_last_backup_of_a_day_counts_and_a_differential_one_is_as_good(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_backup("shop", at(17, 23), File("D", 30), LOG, kind="I")
    server.catalogue.add_backup("shop", at(17, 1), File("D", 10), LOG)
    server.catalogue.add_backup("shop", at(17, 12), File("D", 20), LOG)
    assert [size.data_bytes for size in recovered(driver, server)] == [30]


def test_the_day_is_that_of_whalefalls_time_zone_wherever_the_server_is(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_backup("shop", at(17, 12), DATA, LOG, quarters=-20)  # noon in New York is one in the morning in Shanghai
    server.catalogue.add_backup("shop", at(19, 5, 44), DATA, LOG, quarters=23)  # Nepal: 23:59 UTC on the 18th
    assert days(recovered(driver, server)) == [18, 19]
    assert days(recovered(driver, server, timezone=ZoneInfo("UTC"))) == [17, 18]
    assert days(recovered(driver, server, timezone=NEW_YORK)) == [17, 18]


def test_only_the_requested_days_are_recovered_to_the_minute(driver: Driver, server: SqlServer) -> None:
    for day, hour, minute in ((15, 23, 59), (16, 0, 0), (22, 23, 59), (23, 0, 0)):
        server.catalogue.add_backup("shop", at(day, hour, minute), DATA, LOG)
    assert days(recovered(driver, server)) == [16, 22]


def test_only_the_requested_databases_are_recovered(driver: Driver, server: SqlServer) -> None:
    for name in ("shop", "crm", "blog"):
        server.catalogue.add_backup(name, at(17, 1), DATA, LOG)
    assert [size.database_name for size in recovered(driver, server, "shop", "crm", "never backed up")] == ["crm", "shop"]


@pytest.mark.parametrize("kind", ["L", "F", "G", "P", "Q"])
def test_backups_that_do_not_hold_every_file_are_no_size(driver: Driver, server: SqlServer, kind: str) -> None:
    server.catalogue.add_backup("shop", at(17, 1), DATA, LOG, kind=kind)
    assert recovered(driver, server) == []


@pytest.mark.parametrize(
    "files",
    [
        (DATA, File("D", None), LOG),
        (DATA, File("D", 5, is_present=False), LOG),
        (DATA, File("S", 5), LOG),
        (DATA,),
        (LOG,),
    ],
)
def test_an_incomplete_size_counts_as_none(driver: Driver, server: SqlServer, files: tuple[File, ...]) -> None:
    server.catalogue.add_backup("shop", at(17, 1), *files)
    server.catalogue.add_backup("shop", at(18, 1), DATA, LOG)
    assert days(recovered(driver, server)) == [18]


def test_a_defunct_file_takes_no_space(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_backup("shop", at(17, 1), File("D", 10), File("D", 999, is_present=False, state=7), File("L", 1))
    assert [size.total_bytes for size in recovered(driver, server)] == [11]


def test_history_that_a_restore_brought_along_is_another_servers(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_backup("shop", at(17, 1), DATA, LOG, server_name="PRODUCTION")
    assert recovered(driver, server) == []


def test_a_backup_without_a_time_zone_has_no_day(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_backup("shop", at(17, 1), DATA, LOG, quarters=127)
    assert recovered(driver, server) == []


def test_without_the_privilege_the_grants_are_named(driver: Driver) -> None:
    with (
        new_server(*MINIMAL, BACKUPS[0]) as server,
        probing(driver, server) as probe,
        failure(Reason.NO_PERMISSION, SizesError, LOGIN.password) as messages,
    ):
        probe.recover_sizes(["shop"], FIRST, LAST, SHANGHAI)
    grants = "GRANT SELECT ON dbo.backupset TO [monitor]; GRANT SELECT ON dbo.backupfile TO [monitor];"
    assert messages[0].endswith(f"run on that server: USE msdb; CREATE USER [monitor] FOR LOGIN [monitor]; {grants}")
