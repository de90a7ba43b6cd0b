"""A month is written to a file, read back before it is dropped, and restored with every row."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow.parquet
import pytest

from whalefall_pipelines.aggregation.aggregate import verify
from whalefall_pipelines.domain.months import Month, Place, months_between
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.errors import ArchiveError, InputError, NotFoundError
from whalefall_pipelines.retention.archive import archive_month, read_manifest, restore_archive
from whalefall_pipelines.retention.maintain_table_partitions import Outcome, expire_table_partitions
from whalefall_pipelines.retention.maintenance import StepKind
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, ensure_months, read_catalogue
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.days import compute_periods, write_days
from whalefall_pipelines_tests.factories import changed, query, register
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES
from whalefall_pipelines_tests.partitioned_tables import PARTITIONED_TABLES

TODAY = date(2026, 11, 22)
OLD = date(2025, 9, 30)
TABLE = "database_size_stats"
FILE = f"{TABLE}_2025_09.parquet"
ROWS = f"select * from {TABLE} where stat_date < '2025-10-01' order by instance_id, database_name, stat_date"
INSERT = (
    f"insert into {TABLE} (instance_id, database_name, stat_date, total_bytes, data_bytes, log_bytes, collected_at, provenance, "
    "method, session_id) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


@pytest.fixture
def store(maintenance_store: Database) -> Iterator[Database]:
    """A store with an overdue month of rows that are hard to serialize."""
    for month in months_between(Month(2025, 9), Month(2026, 11)):
        ensure_month(maintenance_store, TABLE, month)
    session = "6f2c8a50-0000-4000-8000-00000000000a"
    with maintenance_store.transaction() as cursor:
        for number, name in enumerate(HOSTILE_NAMES):
            cursor.execute(INSERT, (number, name, OLD, 2**62 + number, None, 0, "2025-09-30 23:59:59.123456+05:30", "measured", "", None))
        cursor.execute(INSERT, (1000, "", OLD, 0, 0, None, "2025-09-30 00:00:00+00", "estimated", "NULL", session))
        cursor.execute(INSERT, (1001, "\\N", date(2025, 9, 1), 2, 1, 1, "1900-01-01 00:00:00+00", "recovered", '"', session))
    return maintenance_store


def expire(store: Database, folder: Path) -> tuple[Outcome, ...]:
    configured = changed(load_settings({"WHALEFALL_HOME": "/nonexistent"}), RetentionSettings, archive_dir=folder)
    return expire_table_partitions(store, configured, TODAY).outcomes


def test_an_expired_month_is_in_a_file_with_a_manifest_and_comes_back_with_every_row(store: Database, tmp_path: Path) -> None:
    before = query(store, ROWS)
    outcomes = expire(store, tmp_path / "archive")
    assert [(outcome.error, outcome.archive and outcome.archive.name) for outcome in outcomes] == [
        (None, FILE),
        (None, f"{TABLE}_2025_10.parquet"),
    ]
    assert query(store, ROWS) == []
    file = tmp_path / "archive" / FILE
    manifest = read_manifest(file)
    assert (manifest.table_name, manifest.month, manifest.rows, manifest.bytes) == (TABLE, "2025-09", len(before), file.stat().st_size)
    assert pyarrow.parquet.read_table(file).num_rows == len(before)
    assert {path.suffix for path in file.parent.iterdir()} == {".parquet", ".json"}  # and no temporary file
    restore_archive(store, file)
    assert query(store, ROWS) == before
    assert query(store, f"select tableoid::regclass::text from {TABLE} limit 1") == [(f"{TABLE}_2025_09",)]
    restore_archive(store, tmp_path / "archive" / f"{TABLE}_2025_10.parquet")  # a month without rows


def test_every_table_survives_the_journey(maintenance_store: Database, tmp_path: Path) -> None:
    ensure_months(maintenance_store, [OLD])
    with maintenance_store.transaction() as cursor:
        cursor.execute(
            "insert into instance_size_aggregations (instance_id, period_type, period_start, period_end, avg_bytes, data_count, "
            "expected_count, estimated_count, change_percent, avg_database_count, trend_direction, is_final) values "
            "(1, 'daily', '2025-09-30', '2025-09-30', 5, 1, 1, 0, -1234567890.12, 0.5, 'growing', true), "
            "(2, 'monthly', '2025-09-01', '2025-09-30', null, 0, 30, 0, null, null, null, false)"
        )
        cursor.execute(
            "insert into database_size_aggregations (instance_id, database_name, period_type, period_start, period_end, data_count, "
            "expected_count, estimated_count, is_final) values (1, 'a', 'daily', '2025-09-30', '2025-09-30', 1, 1, 0, true)"
        )
    for table_name in PARTITIONED_TABLES:
        (table_partition,) = read_catalogue(maintenance_store, [table_name])
        before = query(maintenance_store, f"select * from {table_name} order by instance_id")
        file = archive_month(maintenance_store, table_partition, tmp_path)
        with maintenance_store.transaction() as cursor:
            cursor.execute(f"drop table {table_partition.name}")
        restore_archive(maintenance_store, file)
        assert query(maintenance_store, f"select * from {table_name} order by instance_id") == before


def test_a_damaged_file_is_refused_and_nothing_is_made(store: Database, tmp_path: Path) -> None:
    expire(store, tmp_path)
    file = tmp_path / FILE
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    with pytest.raises(ArchiveError, match="checksum differs; nothing was restored"):
        restore_archive(store, file)
    file.write_bytes(whole)
    manifest = json.loads(file.with_suffix(".json").read_text())
    for wrong in ({"rows": 1}, {"table_name": "instances"}, {"month": "September"}):
        file.with_suffix(".json").write_text(json.dumps(manifest | wrong))
        with pytest.raises((ArchiveError, InputError)):
            restore_archive(store, file)
    file.with_suffix(".json").write_text("[]")
    with pytest.raises(ArchiveError):
        restore_archive(store, file)
    file.with_suffix(".json").unlink()
    with pytest.raises(NotFoundError):
        restore_archive(store, file)
    assert query(store, ROWS) == []
    assert all(table_partition.month != Month(2025, 9) for table_partition in read_catalogue(store))


def test_nothing_is_restored_over_a_month_that_exists(store: Database, tmp_path: Path) -> None:
    before = query(store, ROWS)
    expire(store, tmp_path)
    restore_archive(store, tmp_path / FILE)
    with pytest.raises(InputError, match="has a table partition for 2025-09"):
        restore_archive(store, tmp_path / FILE)
    assert query(store, ROWS) == before


def test_the_same_rows_archived_again_are_the_same_file_and_others_are_a_file_more(store: Database, tmp_path: Path) -> None:
    expire(store, tmp_path)
    restore_archive(store, tmp_path / FILE)
    assert [outcome.archive and outcome.archive.name for outcome in expire(store, tmp_path)] == [FILE]
    restore_archive(store, tmp_path / FILE)
    with store.transaction() as cursor:
        cursor.execute(f"delete from {TABLE} where instance_id = 1000")
    assert [outcome.archive and outcome.archive.name for outcome in expire(store, tmp_path)] == [f"{TABLE}_2025_09.2.parquet"]
    assert read_manifest(tmp_path / FILE).rows == read_manifest(tmp_path / f"{TABLE}_2025_09.2.parquet").rows + 1


def test_a_month_whose_archive_fails_is_attached_again(store: Database, tmp_path: Path) -> None:
    before = query(store, ROWS)
    with store.session() as cursor:  # a type that an archive cannot hold exactly: the rows differ when read back
        cursor.execute(f"alter table {TABLE} add column moment timestamp, add column odd numeric(50, 2)")
    outcomes = expire(store, tmp_path)
    assert [type(outcome.error) for outcome in outcomes] == [ArchiveError] * 2
    assert [row[: len(before[0])] for row in query(store, ROWS)] == before
    assert all(table_partition.place is Place.ATTACHED for table_partition in read_catalogue(store, [TABLE]))
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_written_while_other_sessions_read_and_write(store: Database, tmp_path: Path) -> None:
    with closing(Database(store.url, store.timezone)) as other, other.session() as cursor:
        cursor.execute("set lock_timeout = '200ms'")
        expire(store, tmp_path)
        cursor.execute(f"select count(*) from {TABLE}")
        assert cursor.fetchone() == (0,)


def test_every_period_stays_what_its_days_say_after_expiry_and_after_restore(maintenance_store: Database, tmp_path: Path) -> None:
    (instance,) = register(maintenance_store, "a")
    days = days_from(date(2025, 9, 1), 120)
    write_days(maintenance_store, {((instance.instance_id, "app"), day): ModelDay(1000 + number) for number, day in enumerate(days)})
    for period_type in PeriodType:
        compute_periods(maintenance_store, periods_between(period_type, days[0], days[-1]), TODAY)
    ensure_months(maintenance_store, [TODAY])
    assert list(verify(maintenance_store, days[0], TODAY, TODAY)) == []
    outcomes = [outcome for outcome in expire(maintenance_store, tmp_path) if outcome.step.kind is StepKind.EXPIRE]
    assert len(outcomes) == 4
    first_kept = date(2025, 11, 1)  # daily periods expire with their days
    assert query(maintenance_store, "select min(stat_date) from database_size_stats") == [(first_kept,)]
    assert list(verify(maintenance_store, days[0], TODAY, TODAY, daily_from=first_kept)) == []
    for outcome in outcomes:
        assert outcome.archive
        restore_archive(maintenance_store, outcome.archive)
    assert query(maintenance_store, "select count(*) from instance_size_stats") == [(len(days),)]
    assert list(verify(maintenance_store, days[0], TODAY, TODAY, daily_from=first_kept)) == []
