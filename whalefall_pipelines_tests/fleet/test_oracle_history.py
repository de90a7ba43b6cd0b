"""Missed days recovered from AWR: the last snapshot of each day in whalefall's time zone, only of this container."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import Method, RecoveredSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines_tests.fleet.test_oracle import grants, probe_of
from whalefall_pipelines_tests.servers.oracle.double import BLOCK, HISTORY, OracleDouble
from whalefall_pipelines_tests.servers.probes import failure

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 11, 16), date(2026, 11, 22)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Local time of the server, as AWR stores it."""
    return datetime(2026, 11, day, hour, minute)  # noqa: DTZ001 - end_interval_time has no zone


@pytest.fixture
def double() -> Iterator[OracleDouble]:
    made = OracleDouble()
    for name in ("USERS", "CRM"):
        made.add_tablespace(name)
    yield made
    made.database.close()


def recovered(double: OracleDouble, *names: str, timezone: ZoneInfo = SHANGHAI) -> list[RecoveredSize]:
    sizes = probe_of(double).recover_sizes(names or ("USERS",), FIRST, LAST, timezone)
    return sorted(sizes, key=lambda size: (size.database_name, size.stat_date))


def days(sizes: list[RecoveredSize]) -> list[int]:
    return [size.stat_date.day for size in sizes]


def test_a_snapshot_says_size_limit_and_use_in_blocks(double: OracleDouble) -> None:
    double.add_snapshot(1, at(17, 22, 30), {"USERS": (100, 400, 60)})
    assert recovered(double) == [
        RecoveredSize(
            database_name="USERS",
            stat_date=date(2026, 11, 17),
            total_bytes=100 * BLOCK,
            data_bytes=100 * BLOCK,
            log_bytes=None,
            method=Method.DBA_HIST_TBSPC_SPACE_USAGE,
            recorded_at=datetime(2026, 11, 17, 14, 30, tzinfo=UTC),
            growth_limit_bytes=400 * BLOCK,
            used_bytes=60 * BLOCK,
        )
    ]


def test_the_last_snapshot_of_a_day_counts(double: OracleDouble) -> None:
    for number, (hour, blocks) in enumerate([(23, 30), (1, 10), (12, 20)]):
        double.add_snapshot(number, at(17, hour), {"USERS": (blocks, 0, 1)})
    (size,) = recovered(double)
    assert (size.total_bytes, size.growth_limit_bytes) == (30 * BLOCK, 30 * BLOCK)  # a limit is never below the size


def test_the_day_is_that_of_whalefalls_time_zone_wherever_the_server_is(double: OracleDouble) -> None:
    double.add_snapshot(1, at(17, 12), {"USERS": (1, 1, 1)}, offset=timedelta(hours=-5))
    double.add_snapshot(2, at(19, 5, 44), {"USERS": (1, 1, 1)}, offset=timedelta(hours=5, minutes=45))
    assert days(recovered(double)) == [18, 19]
    assert days(recovered(double, timezone=NEW_YORK)) == [17, 18]


def test_only_the_requested_days_and_tablespaces_are_recovered(double: OracleDouble) -> None:
    for number, (day, hour, minute) in enumerate([(15, 23, 59), (16, 0, 0), (22, 23, 59), (23, 0, 0)]):
        double.add_snapshot(number, at(day, hour, minute), {"USERS": (1, 1, 1), "CRM": (2, 2, 2)})
    assert days(recovered(double)) == [16, 22]
    assert [size.database_name for size in recovered(double, "CRM", "never there")] == ["CRM", "CRM"]


def test_each_node_of_a_cluster_has_its_snapshot_and_the_size_counts_once(double: OracleDouble) -> None:
    double.add_snapshot(1, at(17, 12), {"USERS": (100, 400, 60)}, nodes=3)
    (size,) = recovered(double)
    assert (size.total_bytes, size.recorded_at.second) == (100 * BLOCK, 2)


@pytest.mark.parametrize("options", [{"flag": 2}, {"flag": 4}, {"container": 1}])
def test_snapshots_of_another_database_or_without_licence_are_excluded(double: OracleDouble, options: dict[str, int]) -> None:
    double.add_snapshot(1, at(17, 12), {"USERS": (100, 400, 60)}, **options)  # type: ignore[arg-type]
    assert recovered(double, "USERS", "USERS of the root") == []


def test_a_snapshot_without_a_size_is_none(double: OracleDouble) -> None:
    double.add_snapshot(1, at(17, 12), {"USERS": (None, 400, 60)})
    assert recovered(double) == []


def test_without_the_privilege_the_grants_are_named(double: OracleDouble) -> None:
    double.revoke(*HISTORY)
    with failure(Reason.NO_PERMISSION, SizesError) as messages:
        recovered(double)
    assert messages[0].endswith(f"run on that server: {grants(*HISTORY)}")
