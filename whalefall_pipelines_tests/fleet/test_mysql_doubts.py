"""What the MySQL adapter cannot measure, or only at the second attempt: it says so, and measures the other schemas.

Missing privileges are in `test_mysql_rights.py`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.mysql.sizes import MySQLSizes
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines_tests.servers.mariadb import Target, measure, missing, probing, running, total_bytes
from whalefall_pipelines_tests.servers.probes import failure

pytestmark = pytest.mark.process


def test_a_dropped_schema_has_vanished_and_the_others_are_measured(target: Target) -> None:
    kept, dropped = target.create_schema(), target.create_schema()
    with probing(target) as probe:
        assert {kept, dropped} <= set(probe.list_databases())
        target.ask(f"drop database {dropped}")
        gone, measured = probe.measure([dropped, kept])
    assert gone == MissingSize(dropped, Reason.VANISHED, "dropped between listing and measuring")
    assert isinstance(measured, DatabaseSize)
    missing(target, dropped, Reason.VANISHED, target.create_login(""))


def test_system_databases_have_honest_sizes_too(target: Target) -> None:
    with probing(target) as probe:
        names = list(probe.list_databases())
        assert {"information_schema", "mysql", "performance_schema"} <= set(names)
        outcomes = {outcome.database_name: outcome for outcome in probe.measure(names)}
    virtual = [outcomes[name] for name in ("information_schema", "performance_schema")]
    assert [outcome.total_bytes for outcome in virtual if isinstance(outcome, DatabaseSize)] == [0, 0]
    # The tables for logs are CSV files.
    assert "general_log, slow_log" in without_some_tables(outcomes["mysql"], 2)


def without_some_tables(outcome: DatabaseSize | MissingSize, count: int) -> str:
    """The notice of a size that excludes this many tables."""
    assert isinstance(outcome, DatabaseSize), outcome
    assert outcome.method.endswith("_incomplete")
    assert outcome.notice
    assert outcome.notice.startswith(f"{count} of ")
    return outcome.notice


def test_a_csv_table_is_excluded_by_name_and_the_rest_is_measured(target: Target) -> None:
    schema, neighbour = target.create_schema(), target.create_schema()
    for each in (schema, neighbour):
        target.fill(each, "plain", 100)
    target.ask(f"create table {schema}.listed (id int not null) engine=CSV", f"insert into {schema}.listed values (1)")
    first, second = measure(target, schema, neighbour)
    assert "not counted: listed." in without_some_tables(first, 1)
    assert isinstance(first, DatabaseSize)
    assert isinstance(second, DatabaseSize)
    assert first.total_bytes == second.total_bytes
    assert second.method == Method.INNODB_TABLESPACES if target.family == "mysql" else Method.INNODB_SYS_TABLESPACES


def test_a_schema_whose_tables_mostly_have_no_size_is_missing(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "plain", 100)
    target.ask(*(f"create table {schema}.listed{number} (id int not null) engine=CSV" for number in range(5)))
    detail = missing(target, schema, Reason.INCOMPLETE)
    assert detail.startswith("5 of 6 tables report no size")
    assert detail.endswith("they are not counted: listed0, listed1, listed2 and 2 more.")


@contextmanager
def damaged(target: Target, path: Path) -> Generator[None]:
    """For the block, the file has other contents."""
    target.ask("flush tables")
    whole = path.read_bytes()
    path.write_bytes(b"not what it was")
    try:
        yield
    finally:
        target.ask("flush tables")
        path.write_bytes(whole)


def test_a_damaged_table_is_left_out_and_named(target: Target) -> None:
    schema, neighbour = target.create_schema(), target.create_schema()
    for each in (schema, neighbour):
        target.fill(each, "other", 100, "engine=MyISAM")
        target.fill(each, "plain", 100)
    with damaged(target, target.files(schema) / "other.MYI"):
        outcomes = measure(target, schema, neighbour)
    assert "not counted: other." in without_some_tables(outcomes[0], 1)
    assert isinstance(outcomes[0], DatabaseSize)
    assert isinstance(outcomes[1], DatabaseSize)
    assert outcomes[0].total_bytes < outcomes[1].total_bytes == total_bytes(target, schema)


def test_a_file_that_mysql_lost_is_left_out(mysql: Target) -> None:
    schema = mysql.create_schema()
    mysql.fill(schema, "kept", 100)
    mysql.fill(schema, "lost", 100)
    path = mysql.files(schema) / "lost.ibd"
    whole = total_bytes(mysql, schema)
    path.rename(path.with_suffix(".kept"))
    try:
        (outcome,) = measure(mysql, schema)
    finally:
        path.with_suffix(".kept").rename(path)
    without_some_tables(outcome, 1)
    assert isinstance(outcome, DatabaseSize)
    assert 0 < outcome.total_bytes < whole == total_bytes(mysql, schema)


def test_a_damaged_definition_is_left_out_and_named(maria: Target) -> None:
    schema = maria.create_schema()
    maria.fill(schema, "other", 100, "engine=MyISAM")
    maria.fill(schema, "plain", 100)
    with damaged(maria, maria.files(schema) / "other.frm"):
        assert "not counted: other." in without_some_tables(measure(maria, schema)[0], 1)


def test_a_tablespace_that_mariadb_cannot_open_is_left_out_and_named(maria: Target) -> None:
    schema = maria.create_schema()
    maria.fill(schema, "kept", 100)
    maria.fill(schema, "discarded", 100)
    maria.ask(f"alter table {schema}.discarded discard tablespace")
    assert "not counted: discarded." in without_some_tables(measure(maria, schema)[0], 1)
    maria.ask(f"drop table {schema}.discarded")
    assert total_bytes(maria, schema) > 0


@pytest.mark.parametrize("crash", [False, True])
def test_mariadb_is_measured_whole_after_a_restart(tmp_path: Path, crash: bool) -> None:
    with running(tmp_path) as target:
        schemas = [target.create_schema() for _ in range(2)]
        for schema in schemas:
            target.fill(schema, "plain", 1000)
            target.fill(schema, "parts", 1000, "partition by hash (id) partitions 3")
            target.fill(schema, "texts", 100)
            target.ask(f"alter table {schema}.texts add fulltext (word)")
        login = target.create_login()
        count_listed = f"select count(*) from information_schema.innodb_sys_tablespaces where name like '{schemas[0]}/%'"
        before, all_of_them = measure(target, *schemas, login=login), target.ask(count_listed)
        target.restart(crash=crash)
        assert crash or target.ask(count_listed) < all_of_them
        assert measure(target, *schemas, login=login) == before
        assert all(isinstance(outcome, DatabaseSize) and outcome.total_bytes > 1_000_000 for outcome in before)


def limit_statements(probe: MySQLSizes, seconds: float) -> None:
    """Another statement time-out for a probe in progress."""
    with probe._session.connection.cursor() as cursor:
        cursor.execute(f"set session max_statement_time = {seconds}")


def test_opening_the_tables_may_be_cut_off_and_continues_in_the_next_probe(tmp_path: Path) -> None:
    with running(tmp_path) as target:
        login, schema = target.create_login(), target.create_schema()
        target.ask(*[f"create table {schema}.t{number} (id int) engine=InnoDB" for number in range(300)])
        target.restart()
        with ServerFleet().connect(SIZES, target.instance(), login) as probe:
            assert isinstance(probe, MySQLSizes)
            limit_statements(probe, 0.001)
            assert not probe._open_tables()
            limit_statements(probe, 60)
            listed = target.ask(f"select count(*) < 300 from information_schema.innodb_sys_tablespaces where name like '{schema}/%'")
            assert listed == [(1,)]
            (outcome,) = probe.measure([schema])
            assert isinstance(outcome, DatabaseSize)
            assert outcome.total_bytes == 300 * 65_536


def test_a_statement_ends_at_its_own_deadline(maria: Target) -> None:
    login, schema = maria.create_login(), maria.create_schema()
    maria.ask(*[f"create table {schema}.t{number} (id int)" for number in range(200)])
    maria.ask("flush tables")
    with ServerFleet(Deadlines(statement_seconds=0.001)).connect(SIZES, maria.instance(), login) as probe:
        with failure(Reason.TIMEOUT, SizesError, login.password) as messages:
            probe.measure([schema])
        assert messages[0].endswith("a statement took longer than its deadline.")
        assert isinstance(probe, MySQLSizes)
        limit_statements(probe, 60)  # the session goes on; a millisecond may be too short for any statement
        assert schema in probe.list_databases()
