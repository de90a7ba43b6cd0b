"""The MySQL adapter on a real MariaDB and a real MySQL: sizes against files on disk, and names.

Tablespaces that tables share are in `test_mysql_shared.py`, privileges in
`test_mysql_rights.py`, what cannot be measured in `test_mysql_doubts.py`.
"""

import os
from pathlib import Path

import pymysql
import pytest

from whalefall_pipelines.domain.instances import ServerIdentity
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines_tests.servers.mariadb import Target, measure, new_name, probing, quoted, total_bytes

pytestmark = pytest.mark.process
# InnoDB encodes the names of folders in its own way; `aux` and `con` are names that Windows reserves.
HOSTILE = [
    "it's",
    'do"uble',
    "back`tick",
    "100%s %(database_name)s",
    "a;drop database b",
    "with space",
    "new\nline",
    "slash/slash",
    "back\\slash",
    "d.ot-dash",
    "@at#hash$",
    "aux",
    "con",
    "ünïcode",
    "数据库",
    "İ㍿ﬀ\x7f",
    "x" * 64,
]
UNCOUNTED = {".frm", ".opt", ".par", ".sdi", ".CSM"}


def test_the_version_names_the_family(target: Target) -> None:
    with probing(target) as probe:
        version = probe.server_version
    family, number = version.split(" ")
    assert family == {"mariadb": "MariaDB", "mysql": "MySQL"}[target.family]
    assert str(target.ask("select version()")[0][0]).startswith(number)
    assert number.replace(".", "").isdigit()


def test_a_mysql_has_an_identity_and_a_mariadb_has_none(target: Target) -> None:
    with probing(target, target.create_login("")) as probe:
        identity = probe.identity()
    if target.family == "mariadb":
        assert identity is None
    else:
        uuid = (target.server.data / "auto.cnf").read_text().strip().rpartition("=")[2]
        assert identity == ServerIdentity(uuid, is_replica=False)


def bytes_on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix not in UNCOUNTED)


def test_sizes_are_the_files_on_disk(target: Target) -> None:
    schema, neighbour = target.create_schema(), target.create_schema()
    target.fill(schema, "plain", 5000)
    target.fill(schema, "compressed", 2000, "row_format=compressed key_block_size=4")
    target.fill(schema, "parts", 2000, "partition by hash (id) partitions 3")
    target.fill(schema, "indexed", 2000, "engine=MyISAM")
    if target.family == "mariadb":
        target.fill(schema, "parts_of_myisam", 1000, "engine=MyISAM partition by hash (id) partitions 3")
        target.fill(schema, "crash_safe", 2000, "engine=Aria")
    target.fill(neighbour, "plain", 100)
    target.ask("flush tables")
    measured, on_disk = total_bytes(target, schema), bytes_on_disk(target.files(schema))
    assert on_disk > 6_000_000
    assert abs(measured - on_disk) <= on_disk / 1000


def test_full_text_indexes_and_temporary_names_count_to_their_schema(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "texts", 500)
    target.ask(f"alter table {schema}.texts add fulltext (word)", f"create table {schema}.`#sql-odd-name` (id int)")
    assert total_bytes(target, schema) == bytes_on_disk(target.files(schema))


def test_holes_of_page_compression_are_not_counted(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "holes", 8000, "page_compressed=1" if target.family == "mariadb" else "compression='zlib'")
    target.ask(f"flush tables {schema}.holes for export")  # writes what is still only in memory
    (file,) = (path.stat() for path in target.files(schema).glob("*.ibd"))
    if file.st_blocks * 512 >= file.st_size:
        pytest.skip("this file system keeps no holes")
    assert total_bytes(target, schema) == pytest.approx(file.st_blocks * 512, rel=0.01)


def test_a_schema_without_tables_is_measured_as_empty(target: Target) -> None:
    schema, views = target.create_schema(), target.create_schema()
    target.ask(f"create view {views}.nothing as select 1", f"create table {views}.memory (id int) engine=MEMORY")
    assert total_bytes(target, schema) == 0
    assert total_bytes(target, views) == 0


def test_a_merge_table_does_not_count_its_parts_twice(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "part", 500, "engine=MyISAM")
    alone = total_bytes(target, schema)
    columns = "id int not null, word varchar(800) not null, key (id)"
    target.ask(f"create table {schema}.whole ({columns}) engine=MERGE union=({schema}.part)", f"select count(*) from {schema}.whole")
    assert total_bytes(target, schema) == alone


def test_sizes_are_of_now_and_not_of_the_servers_cache(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "growing", 100, "engine=MyISAM")
    target.ask(f"select sum(data_length) from information_schema.tables where table_schema = '{schema}'")
    before = total_bytes(target, schema)
    target.ask(*[f"insert into {schema}.growing select * from {schema}.growing"] * 5)
    assert total_bytes(target, schema) > 20 * before


def test_names_of_any_kind_are_measured(target: Target) -> None:
    for name in HOSTILE:
        target.create_schema(name)
        target.ask(
            f"create table {quoted(name)}.`t-é/\\'` (id int)", f"create table {quoted(name)}.`other` (id int, key (id)) engine=MyISAM"
        )
    sample = target.create_schema()
    target.ask(f"create table {sample}.plain (id int)", f"create table {sample}.other (id int, key (id)) engine=MyISAM")
    expected = total_bytes(target, sample)
    with probing(target) as probe:
        assert set(HOSTILE) <= set(probe.list_databases())
    for outcome in measure(target, *HOSTILE):
        assert isinstance(outcome, DatabaseSize), outcome
        assert outcome.total_bytes == expected > 65_536


def test_names_that_differ_only_by_case_or_accent_are_distinguished(target: Target) -> None:
    suffix = new_name("")
    names = [f"{word}{suffix}" for word in ("sales", "Sales", "sàles")]
    for rows, name in zip((200, 2000, 8000), names, strict=True):
        target.create_schema(name)
        target.fill(name, "plain", rows)
        target.fill(name, "other", rows, "engine=MyISAM")
    sizes = [total_bytes(target, name) for name in names]
    assert 4 * sizes[0] < sizes[1] < sizes[2] - 4_000_000
    assert sizes == [outcome.total_bytes for outcome in measure(target, *names) if isinstance(outcome, DatabaseSize)]


def test_a_slash_in_a_name_belongs_to_the_schema_or_to_the_table(target: Target) -> None:
    short, long = target.create_schema("ship"), target.create_schema("ship/cargo")
    target.fill("ship", "cargo/deck", 2000)
    target.fill("ship/cargo", "hold", 200)
    assert total_bytes(target, short) > 2 * total_bytes(target, long) > 100_000


def test_the_session_is_read_only(target: Target) -> None:
    schema, login = target.create_schema(), target.create_login("PROCESS, SHOW VIEW, CREATE, INSERT")
    with (
        probing(target, login) as probe,
        probe._session.connection.cursor() as cursor,
        pytest.raises(pymysql.MySQLError, match="READ ONLY"),
    ):
        cursor.execute(f"create table {schema}.ours (id int)")


def test_empty_tables_of_any_engine_are_no_damaged_ones(target: Target) -> None:
    schema = target.create_schema()
    for engine in ("MyISAM", "ARCHIVE") if target.family == "mysql" else ("MyISAM", "Aria"):
        target.ask(f"create table {schema}.{engine} (id int) engine={engine}")
    assert total_bytes(target, schema) == bytes_on_disk(target.files(schema))


@pytest.mark.parametrize("name", ["lost+found", "a@ZZb", "back`tick%s"])
def test_a_folder_that_is_not_a_schema_is_listed_and_empty(maria: Target, name: str) -> None:
    folder = maria.server.data / name  # as on a separate volume
    folder.mkdir()
    try:
        with probing(maria) as probe:
            assert f"#mysql50#{name}" in probe.list_databases()
        assert total_bytes(maria, f"#mysql50#{name}") == 0
    finally:
        folder.rmdir()


def test_folders_whose_names_cannot_be_decoded_cost_only_themselves_and_stay_two(maria: Target) -> None:
    schema = maria.create_schema()
    maria.fill(schema, "plain", 100)
    folders = [maria.server.data / os.fsdecode(name) for name in (b"caf\xe9", b"caf\xe8")]
    for folder in folders:
        folder.mkdir()
    try:
        with probing(maria) as probe:
            listed = list(probe.list_databases())
            outcomes = {outcome.database_name: outcome for outcome in probe.measure(listed)}
        odd = [name for name in listed if name.startswith("#mysql50#caf")]
        assert len(odd) == 2
        for name in odd:
            outcome = outcomes[name]
            assert isinstance(outcome, MissingSize)
            assert outcome.detail.startswith("2 folders in the data directory")
        assert isinstance(outcomes[schema], DatabaseSize)
    finally:
        for folder in folders:
            folder.rmdir()
