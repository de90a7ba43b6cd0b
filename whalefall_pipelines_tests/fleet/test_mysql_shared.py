"""Tablespaces shared by tables, and the files of a server that belong to no schema: both compared with the files on disk."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from whalefall_pipelines.domain.sizes import DatabaseSize, Method, total_of
from whalefall_pipelines_tests.servers.mariadb import (
    Target,
    grow_unnoticed,
    in_system_tablespace,
    measure,
    new_name,
    probing,
    quoted,
    running,
    running_mysql,
    total_bytes,
)

pytestmark = pytest.mark.process


@contextmanager
def tablespace(mysql: Target) -> Generator[tuple[str, Path]]:
    """A general tablespace and its file; it is dropped after all its tables."""
    name = new_name("tablespace")
    mysql.ask(f"create tablespace {name} add datafile '{name}.ibd'")
    try:
        yield name, mysql.server.data / f"{name}.ibd"
    finally:
        mysql.drop_created()
        mysql.ask(f"drop tablespace {name}")


def size(target: Target, schema: str) -> DatabaseSize:
    (outcome,) = measure(target, schema)
    assert isinstance(outcome, DatabaseSize), outcome
    return outcome


def test_a_general_tablespace_of_one_schema_is_its_file_to_the_byte(mysql: Target) -> None:
    with tablespace(mysql) as (name, path):
        schema = mysql.create_schema()
        grow_unnoticed(mysql, schema, f"tablespace {name}")
        assert total_bytes(mysql, schema) == path.stat().st_size > 40_000_000
        mysql.fill(schema, "own", 500)
        mysql.fill(schema, "texts", 10, f"tablespace {name}")
        mysql.ask(f"alter table {schema}.texts add fulltext (word)")
        assert total_bytes(mysql, schema) == path.stat().st_size + (mysql.files(schema) / "own.ibd").stat().st_size


def test_whose_general_tablespace_it_is_does_not_depend_on_names(mysql: Target) -> None:
    for schema in ("slash/sláash-%s", "数据-库", "ünïcode.é", "aux"):
        with tablespace(mysql) as (name, path):
            mysql.create_schema(schema)
            mysql.ask(
                f"create table {quoted(schema)}.`c/D-é` (id int) tablespace {name}",
                f"create table {quoted(schema)}.own (id int primary key)",
            )
            assert total_bytes(mysql, schema) == path.stat().st_size + 114_688


def test_names_that_may_be_written_alike_share_nothing(mysql: Target) -> None:
    with tablespace(mysql) as (name, _):
        for schema in ("prénom", "prènom"):
            mysql.create_schema(schema)
        mysql.fill("prénom", "plain", 1000, f"tablespace {name}")
        mysql.ask("analyze table `prénom`.plain")
        assert size(mysql, "prénom").method == Method.INNODB_TABLESPACES_AND_STATISTICS
        assert size(mysql, "prénom").total_bytes > 500_000
        assert total_bytes(mysql, "prènom") == 0


def test_a_tablespace_of_two_schemas_is_counted_by_statistics_and_marked(mysql: Target) -> None:
    with tablespace(mysql) as (name, _):
        first, second = mysql.create_schema(), mysql.create_schema()
        mysql.fill(first, "plain", 2000, f"tablespace {name}")
        mysql.fill(second, "plain", 200, f"tablespace {name}")
        mysql.ask(f"analyze table {first}.plain, {second}.plain")
        sizes = [size(mysql, schema) for schema in (first, second)]
        assert [size.method for size in sizes] == [Method.INNODB_TABLESPACES_AND_STATISTICS] * 2
        assert sizes[0].total_bytes > 5 * sizes[1].total_bytes > 0
        assert [size.notice for size in sizes] == [None, None]


def test_outdated_statistics_in_the_system_tablespace_are_reported(target: Target) -> None:
    with in_system_tablespace(target) as options:
        schema, neighbour = target.create_schema(), target.create_schema()
        target.fill(neighbour, "own", 10, "" if target.family == "mysql" else "engine=MyISAM")
        grow_unnoticed(target, schema, options)
        old = size(target, schema)
        assert old.method.endswith("_and_statistics")
        assert old.notice
        assert old.notice.startswith("Counted from the server's statistics: grown. ")
        assert size(target, neighbour).notice is None
        target.ask(f"analyze table {schema}.grown")
        renewed = size(target, schema)
        assert renewed.total_bytes > old.total_bytes + 35_000_000
        assert target.family == "mariadb" or renewed.notice is None  # there the undo log is in the same file


def bytes_on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def fill_in_every_way(target: Target) -> None:
    schema, neighbour = target.create_schema(), target.create_schema()
    for each in (schema, neighbour):
        target.fill(each, "plain", 10_000)
        target.fill(each, "other", 5_000, "engine=MyISAM")
    target.ask(*[f"insert into {schema}.plain select * from {schema}.plain"] * 3)
    with in_system_tablespace(target) as options:
        grow_unnoticed(target, neighbour, options)
        target.fill(schema, "in_system", 5_000, options)
    target.ask("flush tables")


def assert_all_is_the_disk(target: Target, rights: str) -> None:
    login = target.create_login(rights)
    with probing(target, login) as probe:
        outcomes = probe.measure(list(probe.list_databases()))
        shared = total_of(probe.measure_shared())
    sizes = [outcome.total_bytes for outcome in outcomes if isinstance(outcome, DatabaseSize)]
    assert len(sizes) == len(outcomes)
    assert shared is not None
    assert sum(sizes) + shared == pytest.approx(bytes_on_disk(target.server.data), rel=0.01)


def test_all_schemas_and_what_is_shared_are_the_data_directory_of_a_mariadb(tmp_path: Path) -> None:
    with running(tmp_path, "--innodb-undo-tablespaces=2", "--log-bin") as target:
        fill_in_every_way(target)
        with probing(target) as probe:
            assert total_of(probe.measure_shared()) is None
        assert_all_is_the_disk(target, "PROCESS, SHOW VIEW, REPLICATION CLIENT")


def test_all_schemas_and_what_is_shared_are_the_data_directory_of_a_mysql(tmp_path: Path) -> None:
    with running_mysql(tmp_path) as target:
        fill_in_every_way(target)
        schemas = target.create_schema(), target.create_schema()
        target.ask("create tablespace shared_space add datafile 'shared.ibd'", "create tablespace empty_space add datafile 'empty.ibd'")
        for schema in schemas:
            target.fill(schema, "plain", 3000, "tablespace shared_space")
        with probing(target) as probe:
            assert total_of(probe.measure_shared()) is None
            assert [right.statement for right in probe.privileges() if not right.is_held] == [
                f"GRANT REPLICATION CLIENT ON *.* TO {probe._session.grantee};"
            ]
        assert_all_is_the_disk(target, "PROCESS, SHOW VIEW, REPLICATION CLIENT")


@pytest.mark.parametrize("rights", ["", "PROCESS", "SHOW VIEW"])
def test_what_is_shared_is_unknown_to_a_login_that_does_not_see_everything(target: Target, rights: str) -> None:
    with probing(target, target.create_login(rights)) as probe:
        assert total_of(probe.measure_shared()) is None
