"""Tables of real MariaDB and MySQL servers: each is its files on disk, and all together are the schema."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.domain.tables import TableKind, TableMethod, TableSize, TableSizes
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.mysql.session import Session
from whalefall_pipelines.fleet.mysql.tables import MySQLTables
from whalefall_pipelines.fleet.tables import TABLES, TablesProbe
from whalefall_pipelines_tests.servers import mariadb as servers
from whalefall_pipelines_tests.servers.mariadb import Target, in_system_tablespace, quoted

pytestmark = pytest.mark.process
MANY = 20_000


@contextmanager
def probing(target: Target, login: Login | None = None) -> Generator[TablesProbe]:
    with ServerFleet().connect(TABLES, target.instance(), login or target.create_login()) as probe:
        yield probe


def measure(target: Target, schema: str, at_most: int = MANY) -> TableSizes:
    with probing(target) as probe:
        sizes = probe.measure_tables(schema, at_most)
    assert isinstance(sizes, TableSizes), sizes
    (whole,) = servers.measure(target, schema)
    assert isinstance(whole, DatabaseSize)
    assert sizes.total_bytes == whole.total_bytes
    return sizes


def by_name(sizes: TableSizes) -> dict[str, TableSize]:
    return {size.partition_name or size.table_name: size for size in sizes.tables}


def files_of(target: Target, schema: str, pattern: str) -> int:
    """The bytes of data and index files, but not of definitions."""
    paths = [path for path in target.files(schema).glob(pattern) if path.suffix not in {".frm", ".opt", ".sdi", ".cfg", ".par"}]
    return sum(path.stat().st_size for path in paths)


def test_tables_are_their_files_and_add_up_to_the_schema(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "big", 5000)
    target.fill(schema, "old", 1000, "engine=MyISAM")
    target.fill(schema, "parted", 3000, "partition by hash (id) partitions 3")
    target.ask(
        f"create table {schema}.sub (id int not null, day date not null) "
        "partition by range (to_days(day)) subpartition by hash (id) subpartitions 2 "
        "(partition early values less than (730000), partition Late values less than maxvalue)",
        f"create table {schema}.words (id int primary key, text text, fulltext key (text)) engine=InnoDB",
        f"insert into {schema}.words select 1, 'some words to find'",
        f"create table {schema}.in_memory (id int) engine=MEMORY",
        f"create table {schema}.comma (id int not null) engine=CSV",
    )
    sizes = measure(target, schema)
    tables = by_name(sizes)
    assert sizes.total_bytes == files_of(target, schema, "*") - files_of(target, schema, "comma*")
    assert tables["big"].total_bytes == files_of(target, schema, "big.*") > 2_000_000
    assert tables["big"].method is TableMethod.INNODB_TABLESPACES
    assert tables["old"].total_bytes == files_of(target, schema, "old.*")
    assert (tables["old"].method, tables["old"].index_bytes) == (TableMethod.TABLE_FILES, files_of(target, schema, "old.MYI"))
    assert tables["parted"].total_bytes == files_of(target, schema, "parted#*")
    assert tables["p1"].total_bytes == files_of(target, schema, "parted#*[pP]#p1.*")
    assert (tables["parted"].kind, tables["p1"].table_name) == (TableKind.PARTITIONED, "parted")
    assert tables["sub"].total_bytes == files_of(target, schema, "sub#*")
    assert len([size for size in sizes.tables if size.table_name == "sub"]) == 5
    assert tables["words"].total_bytes == files_of(target, schema, "words.*") + files_of(target, schema, "[fF][tT][sS]_*")
    assert (tables["in_memory"].kind, tables["in_memory"].total_bytes) == (TableKind.FOREIGN, 0)
    assert tables[""].total_bytes == 0
    assert [(table.table_name, table.reason) for table in sizes.missing] == [("comma", Reason.INCOMPLETE)]
    assert 4000 < (tables["big"].row_estimate or 0) < 6000


def test_a_table_without_a_file_of_its_own_is_counted_by_statistics(target: Target) -> None:
    schema = target.create_schema()
    with in_system_tablespace(target) as options:
        target.fill(schema, "inside", 3000, options)
    target.ask(f"analyze table {schema}.inside")
    inside = by_name(measure(target, schema))["inside"]
    assert inside.method is TableMethod.TABLE_STATISTICS
    assert inside.total_bytes == (inside.data_bytes or 0) + (inside.index_bytes or 0) > 1_500_000


def test_every_table_is_measured_after_a_restart(maria: Target) -> None:
    schema = maria.create_schema()
    maria.ask(f"create table {schema}.words (id int primary key, text text, fulltext key (text)) engine=InnoDB")
    before = measure(maria, schema)
    maria.restart()
    assert measure(maria, schema) == before


def test_hostile_names_are_read_as_they_are(target: Target) -> None:
    schema = target.create_schema(servers.new_name("we/ird `数据 %s' \\"))
    names = [
        "'; drop table x; --",
        '"quoted"',
        "100%s %(x)s",
        "new\nline",
        "a/b",
        "back\\slash",
        "数据",
        "a#p#b",
        "aux",
    ]
    for name in names:
        target.ask(f"create table {quoted(schema)}.{quoted(name)} (id int)")
    sizes = measure(target, schema)
    assert {size.table_name for size in sizes.tables if size.table_name} == set(names)
    assert list(sizes.missing) == []


def test_beyond_the_limit_one_row_has_the_exact_sum_of_the_rest(maria: Target) -> None:
    schema = maria.create_schema()
    for number in range(4):
        maria.fill(schema, f"small_{number}", 2500 * (number + 1))
    cut = measure(maria, schema, at_most=2)
    assert [size.table_name for size in cut.tables if size.kind is TableKind.TABLE] == ["small_3", "small_2"]
    (rest,) = [size for size in cut.tables if size.kind is TableKind.SMALLER_TABLES]
    assert rest.total_bytes == sum(files_of(maria, schema, f"small_{number}.*") for number in range(2))
    assert cut.smaller_tables == 2


def test_a_schema_without_the_privilege_is_missing_with_its_grant(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "big", 100)
    login = target.create_login("PROCESS")
    with probing(target, login) as probe:
        outcome = probe.measure_tables(schema, MANY)
        assert isinstance(outcome, MissingSize)
        assert (outcome.reason, "GRANT SHOW VIEW ON" in outcome.detail) == (Reason.NO_PERMISSION, True)
    with probing(target) as probe:
        absent = probe.measure_tables("absent", MANY)
        assert isinstance(absent, MissingSize)
        assert absent.reason is Reason.VANISHED


class Meanwhile(Session):
    """A session to which something happens before its list of files, once."""

    def __init__(self, session: Session, happens: Callable[[], None]) -> None:
        """Continue a session that is open."""
        self.__dict__.update(session.__dict__)
        self._happens = happens

    def rows(self, query: str, **parameters: str | int) -> Sequence[tuple[Any, ...]]:
        if "list_table_files" in query:
            self._happens()
            self._happens = lambda: None
        return super().rows(query, **parameters)


def test_a_table_that_is_dropped_meanwhile_is_missing(target: Target) -> None:
    """Its statistics were listed before its file was gone: it had a size in nobody's files."""
    schema = target.create_schema()
    target.fill(schema, "stays", 3000)
    target.fill(schema, "gone", 3000)
    target.fill(schema, "parted_gone", 3000, "partition by hash (id) partitions 2")
    target.ask(
        f"create table {schema}.parted (id int not null) partition by range (id) "
        "(partition low values less than (100), partition high values less than maxvalue)"
    )

    def drop() -> None:
        target.ask(f"drop table {schema}.gone, {schema}.parted_gone", f"alter table {schema}.parted drop partition low")

    instance, login = target.instance(), target.create_login()
    with ServerFleet().connect(TABLES, instance, login) as probe:
        assert isinstance(probe, MySQLTables)
        sizes = MySQLTables(Meanwhile(probe._session, drop), instance).measure_tables(schema, MANY)
    assert isinstance(sizes, TableSizes), sizes
    assert {size.partition_name or size.table_name for size in sizes.tables if size.table_name} == {"stays", "parted", "high"}
    assert sizes.total_bytes == files_of(target, schema, "*")
    missing = {(table.table_name, table.partition_name): table.reason for table in sizes.missing}
    assert missing == dict.fromkeys(
        [("gone", ""), ("parted", "low"), ("parted_gone", ""), ("parted_gone", "p0"), ("parted_gone", "p1")], Reason.VANISHED
    )
