"""`whalefall partitions` as people and programs use it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month, months_between
from whalefall_pipelines.retention.store.table_partitions import only_maintenance
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, read_catalogue
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.cli.commands import document, everything, refused, succeed, whalefall
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.partitioned_tables import PARTITIONED_TABLES

TABLE = "instance_size_stats"


@pytest.fixture
def this_month() -> Month:
    day = today(datetime.now(UTC), TIMEZONE)
    return Month(day.year, day.month)


@pytest.fixture
def overdue(store: Database, this_month: Month) -> Month:
    """The older of two overdue months, beside those that are kept."""
    for month in months_between(this_month.plus(-14), this_month):
        ensure_month(store, TABLE, month)
    with store.transaction() as cursor:
        cursor.execute(
            f"insert into {TABLE} (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
            "values (1, %s, 1, 1, 1, now(), 'measured')",
            (this_month.plus(-14).first_day,),
        )
    return this_month.plus(-14)


def test_a_new_store_is_planned_shown_and_given_its_months(store_environment: dict[str, str], this_month: Month) -> None:
    planned = document(store_environment, "partitions", "plan")
    assert len(planned) == 4 * len(PARTITIONED_TABLES)
    assert {row["step"] for row in planned} == {"create"}
    assert "Nothing" not in succeed(store_environment, "partitions", "create", "--dry-run")
    assert document(store_environment, "partitions", "list") == []
    created = document(store_environment, "partitions", "create")
    assert {(row["done"], row["message"]) for row in created} == {(True, None)}
    assert len(document(store_environment, "partitions", "list")) == 4 * len(PARTITIONED_TABLES)
    assert f"all {4 * len(PARTITIONED_TABLES)} table partitions are in order" in succeed(store_environment, "partitions", "plan")
    assert len(document(store_environment, "partitions", "plan", "--all")) == 4 * len(PARTITIONED_TABLES)
    assert "There was nothing to create." in succeed(store_environment, "partitions", "create")
    assert str(this_month) in succeed(store_environment, "partitions", "list")


def test_a_month_that_a_backfill_needs_is_created_on_request(store_environment: dict[str, str], this_month: Month) -> None:
    succeed(store_environment, "partitions", "create", "--month", str(this_month.plus(-2)))
    assert str(this_month.plus(-2)) in {row["month"] for row in document(store_environment, "partitions", "list")}
    result = whalefall(store_environment, "partitions", "create", "--month", str(this_month.plus(-13)))
    assert "it was not created for them" in result.stderr
    assert "does not match the format" in whalefall(store_environment, "partitions", "create", "--month", "September").stderr


def test_expiring_shows_its_plan_drops_archives_and_restores(
    store: Database, store_environment: dict[str, str], overdue: Month, tmp_path: Path
) -> None:
    environment = store_environment | {"WHALEFALL_ARCHIVE_DIR": str(tmp_path / "archive")}
    before = query(store, f"select * from {TABLE}")
    assert [row["month"] for row in document(environment, "partitions", "expire", "--dry-run")] == [str(overdue), str(overdue.plus(1))]
    assert len(read_catalogue(store)) == 15
    assert overdue.table_partition(TABLE) in succeed(environment, "partitions", "expire", "--yes")
    assert len(read_catalogue(store)) == 13
    file = tmp_path / "archive" / f"{overdue.table_partition(TABLE)}.parquet"
    assert f"Restored 1 row of {overdue} to " in succeed(environment, "partitions", "restore", str(file))
    assert query(store, f"select * from {TABLE}") == before
    assert document(environment, "partitions", "list", "--exact")[0]["rows"] == 1
    assert "so nothing was restored" in refused(environment, "partitions", "restore", str(file))
    assert "There is no file" in refused(environment, "partitions", "restore", str(tmp_path / "nothing.parquet"))


def test_a_month_that_is_held_says_what_to_do_goes_when_that_was_done_and_comes_back(
    store: Database, store_environment: dict[str, str], this_month: Month, tmp_path: Path
) -> None:
    (instance,) = register(store, "a")
    old = this_month.plus(-13)
    write_days(store, {((instance.instance_id, "app"), day): ModelDay(1) for day in (old.first_day, old.last_day)})
    succeed(store_environment, "partitions", "create")
    result = whalefall(store_environment, "partitions", "plan")
    assert result.exit_code == 1
    assert "compute them first" in result.stdout
    assert {row["step"] for row in document(store_environment, "partitions", "expire", "--dry-run")} == {"hold"}
    result = whalefall(store_environment, "partitions", "expire", "--yes")
    assert result.exit_code == 2
    commands = re.findall(r"`whalefall (aggregate [^`]+)`", result.stdout)[:4]
    assert len(commands) == 4
    for command in commands:
        succeed(store_environment, *command.split())
    succeed(store_environment | {"WHALEFALL_ARCHIVE_DIR": str(tmp_path)}, "partitions", "expire", "--yes")
    assert old not in {table_partition.month for table_partition in read_catalogue(store, STATS_TABLES)}
    succeed(store_environment, "verify")
    for table_name in STATS_TABLES:
        succeed(store_environment, "partitions", "restore", str(tmp_path / f"{old.table_partition(table_name)}.parquet"))
    assert query(store, "select count(*) from database_size_stats") == [(2,)]
    succeed(store_environment, "verify")


def test_more_months_than_the_limit_expire_only_with_yes(store: Database, store_environment: dict[str, str], overdue: Month) -> None:
    environment = store_environment | {"WHALEFALL_EXPIRE_AT_MOST": "1"}
    result = whalefall(environment, "partitions", "expire")
    assert result.exit_code == 2
    assert "2 table partitions would be dropped or pruned at once, which is more than WHALEFALL_EXPIRE_AT_MOST (1)" in result.stderr
    assert len(read_catalogue(store)) == 15
    succeed(environment, "partitions", "expire", "--yes")
    assert len(read_catalogue(store)) == 13


def test_conflicts_are_exit_code_1(store: Database, store_environment: dict[str, str], this_month: Month) -> None:
    with store.transaction() as cursor:
        cursor.execute(f"create table {this_month.table_partition(TABLE)} (x integer)")
    result = whalefall(store_environment, "partitions", "plan")
    assert result.exit_code == 1, everything(result)
    assert "is in its way" in result.stdout


def test_a_part_that_fails_is_exit_code_1_and_all_of_it_2(store: Database, store_environment: dict[str, str]) -> None:
    with store.session() as cursor:
        cursor.execute(f"alter table {TABLE} add column odd integer")
        cursor.execute(f"create table leftovers partition of {TABLE} default")
        cursor.execute(
            f"insert into {TABLE} (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
            "values (1, current_date, 1, 1, 1, now(), 'measured')"
        )
    assert whalefall(store_environment, "partitions", "create").exit_code == 1
    assert whalefall(store_environment, "partitions", "create").exit_code == 2


def test_a_second_maintenance_exits_with_one_sentence(store: Database, store_environment: dict[str, str]) -> None:
    with only_maintenance(store):
        assert "Another maintenance of the table partitions is running" in refused(store_environment, "partitions", "create")


@pytest.mark.parametrize(("name", "value"), [("RETENTION_MONTHS", "2"), ("PARTITIONS_AHEAD", "0"), ("EXPIRE_AT_MOST", "none")])
def test_a_retention_that_would_cost_a_running_quarter_is_refused(store_environment: dict[str, str], name: str, value: str) -> None:
    assert f"WHALEFALL_{name} is {value!r}" in refused(store_environment | {f"WHALEFALL_{name}": value}, "partitions", "plan")
