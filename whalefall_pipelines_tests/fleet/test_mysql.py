"""The MySQL adapter on a real MariaDB, and on the MySQL that WHALEFALL_TEST_MYSQL_URL names: sizes against files, rights, names, traps.

Servers and networks that fail are in `test_mysql_faults.py`.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest

from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.errors import LoginRejectedError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.mysql import MySQLProbe
from whalefall_pipelines_tests.servers.mariadb import FAMILIES, RIGHTS, Target, mysql_target, new_name, quoted, running, tidy
from whalefall_pipelines_tests.servers.postgresql import make_certificates

pytestmark = pytest.mark.process
# InnoDB names folders by an encoding of its own; `aux` and `con` are names that Windows reserves.
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
UNSIZED = "tables that tell no size, as CSV tables and damaged ones do"
UNCOUNTED = {".frm", ".opt", ".par", ".sdi", ".CSM"}


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running(tmp_path_factory.mktemp("mariadb")) as target:
        yield target


@pytest.fixture(params=FAMILIES)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A server of each family in turn."""
    yield from tidy(request.getfixturevalue("mariadb") if request.param == "mariadb" else mysql_target())


@pytest.fixture
def maria(mariadb: Target) -> Iterator[Target]:
    """The MariaDB, for what only that family has."""
    yield from tidy(mariadb)


@contextmanager
def visit(target: Target, login: Login | None = None, **settings: str | None) -> Generator[MySQLProbe]:
    with ServerFleet().connect(target.instance(**settings), login or target.create_login()) as probe:
        assert isinstance(probe, MySQLProbe)
        yield probe


def measure(target: Target, *names: str, login: Login | None = None) -> list[DatabaseSize | MissingSize]:
    with visit(target, login) as probe:
        outcomes = probe.measure(names)
    assert [outcome.database_name for outcome in outcomes] == list(names)
    return list(outcomes)


def total_bytes(target: Target, name: str, login: Login | None = None) -> int:
    (outcome,) = measure(target, name, login=login)
    assert isinstance(outcome, DatabaseSize), outcome
    assert outcome.data_bytes == outcome.total_bytes
    assert outcome.log_bytes is None
    assert outcome.method is (Method.INNODB_SYS_TABLESPACES if target.family == "mariadb" else Method.INNODB_TABLESPACES)
    return outcome.total_bytes


def missing(target: Target, name: str, reason: Reason, login: Login | None = None) -> str:
    (outcome,) = measure(target, name, login=login)
    assert isinstance(outcome, MissingSize), outcome
    assert outcome.reason is reason
    return outcome.detail


def bytes_on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix not in UNCOUNTED)


def test_the_version_names_the_family(target: Target) -> None:
    with visit(target) as probe:
        version = probe.server_version
    family, number = version.split(" ")
    assert family == {"mariadb": "MariaDB", "mysql": "MySQL"}[target.family]
    assert str(target.ask("select version()")[0][0]).startswith(number)
    assert number.replace(".", "").isdigit()


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
    target.ask(f"flush tables {schema}.holes for export")  # writes what is still in memory alone
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


def test_tables_in_a_shared_tablespace_count_by_their_length(target: Target) -> None:
    schema, neighbour, tablespace = target.create_schema(), target.create_schema(), new_name("tablespace")
    target.fill(schema, "own", 500)
    target.fill(neighbour, "own", 500)
    own = total_bytes(target, schema)
    try:
        if target.family == "mariadb":
            target.ask("set global innodb_file_per_table = off")
            target.fill(schema, "in-system", 1000)
            target.fill(schema, "p-arts", 1000, "partition by range (id) (partition `p-1` values less than maxvalue)")
        else:
            target.ask(f"create tablespace {tablespace} add datafile '{tablespace}.ibd'")
            target.fill(schema, "in-system", 1000, "tablespace innodb_system")
            target.fill(schema, "p-arts", 1000, f"tablespace {tablespace}")
        target.ask(f"analyze table {schema}.`in-system`, {schema}.`p-arts`")
        assert own + 1_000_000 < total_bytes(target, schema) < own + 4_000_000
        assert total_bytes(target, neighbour) == own
    finally:
        target.ask(f"drop table if exists {schema}.`in-system`, {schema}.`p-arts`")
        target.ask("set global innodb_file_per_table = on" if target.family == "mariadb" else f"drop tablespace {tablespace}")


def test_names_of_any_kind_are_measured(target: Target) -> None:
    for name in HOSTILE:
        target.create_schema(name)
        target.ask(
            f"create table {quoted(name)}.`t-é/\\'` (id int)", f"create table {quoted(name)}.`other` (id int, key (id)) engine=MyISAM"
        )
    sample = target.create_schema()
    target.ask(f"create table {sample}.plain (id int)", f"create table {sample}.other (id int, key (id)) engine=MyISAM")
    expected = total_bytes(target, sample)
    with visit(target) as probe:
        assert set(HOSTILE) <= set(probe.list_databases())
    for outcome in measure(target, *HOSTILE):
        assert isinstance(outcome, DatabaseSize), outcome
        assert outcome.total_bytes == expected > 65_536


def test_names_that_differ_by_case_or_accent_alone_are_kept_apart(target: Target) -> None:
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


@pytest.mark.parametrize(
    ("rights", "cure"),
    [
        ("", "PROCESS, SHOW VIEW"),
        ("SHOW DATABASES", "PROCESS, SHOW VIEW"),
        ("SHOW VIEW", "PROCESS"),
        ("SELECT", "PROCESS"),
        ("PROCESS", "SHOW VIEW"),
        ("PROCESS, SHOW DATABASES", "SHOW VIEW"),
        ("PROCESS, LOCK TABLES, EXECUTE, EVENT", "SHOW VIEW"),
    ],
)
def test_what_the_login_may_not_see_comes_with_the_grant_that_cures_it(target: Target, rights: str, cure: str) -> None:
    full, hidden, empty = (target.create_schema() for _ in range(3))
    target.fill(full, "plain", 500)
    target.fill(hidden, "other", 500, "engine=MyISAM")
    login, names = target.create_login(rights), (full, hidden, empty)
    target.ask(
        f"grant execute on {full}.* to {target.account(login)}", *(f"grant event on {name}.* to {target.account(login)}" for name in names)
    )
    statement = f"GRANT {cure} ON *.* TO {target.account(login)};"
    assert measure(target, *names, login=login) == [MissingSize(name, Reason.NO_PERMISSION, statement) for name in names]
    target.ask(statement)
    assert measure(target, *names, login=login) == measure(target, *names)
    assert total_bytes(target, empty, login) == 0


def test_rights_of_one_schema_are_enough_for_that_schema(target: Target) -> None:
    mine, others = target.create_schema(), target.create_schema()
    for schema in (mine, others):
        target.fill(schema, "plain", 100)
        target.fill(schema, "other", 100, "engine=MyISAM")
    login = target.create_login("PROCESS")
    target.ask(f"grant show view on {mine}.* to {target.account(login)}", f"grant select on {others}.other to {target.account(login)}")
    assert total_bytes(target, mine, login) == total_bytes(target, mine) > 0
    assert missing(target, others, Reason.NO_PERMISSION, login) == f"GRANT SHOW VIEW ON *.* TO {target.account(login)};"


def test_a_login_of_the_mysql_schema_alone_does_not_see_everything(target: Target) -> None:
    schema, login = target.create_schema(), target.create_login("PROCESS")
    target.fill(schema, "other", 100, "engine=MyISAM")
    target.ask(f"grant select on mysql.* to {target.account(login)}", f"grant event on {schema}.* to {target.account(login)}")
    missing(target, schema, Reason.NO_PERMISSION, login)


def test_rights_may_come_through_a_role(target: Target) -> None:
    schema, login, role = target.create_schema(), target.create_login(""), new_name("role")
    target.fill(schema, "other", 100, "engine=MyISAM")
    account = target.account(login)
    default = f"set default role {role} {'for' if target.family == 'mariadb' else 'to'} {account}"
    target.ask(f"create role {role}", f"grant {RIGHTS} on *.* to {role}", f"grant {role} to {account}", default)
    try:
        assert total_bytes(target, schema, login) == total_bytes(target, schema)
    finally:
        target.ask(f"drop role {role}")


def test_no_right_of_ours_reads_a_row(target: Target) -> None:
    schema, login = target.create_schema(), target.create_login()
    target.fill(schema, "secret", 10)
    connection = pymysql.connect(host=target.host, port=target.port, user=login.username, password=(login.password or "").encode())
    with connection, connection.cursor() as cursor, pytest.raises(pymysql.OperationalError, match="SELECT command denied"):
        cursor.execute(f"select * from {schema}.secret")


def test_what_was_dropped_has_vanished_and_its_neighbours_are_measured(target: Target) -> None:
    kept, dropped = target.create_schema(), target.create_schema()
    with visit(target) as probe:
        assert {kept, dropped} <= set(probe.list_databases())
        target.ask(f"drop database {dropped}")
        gone, measured = probe.measure([dropped, kept])
    assert gone == MissingSize(dropped, Reason.VANISHED, "dropped between listing and measuring")
    assert isinstance(measured, DatabaseSize)
    missing(target, dropped, Reason.VANISHED, target.create_login(""))


def test_the_session_is_read_only(target: Target) -> None:
    schema, login = target.create_schema(), target.create_login("PROCESS, SHOW VIEW, CREATE, INSERT")
    with visit(target, login) as probe, probe._connection.cursor() as cursor, pytest.raises(pymysql.MySQLError, match="READ ONLY"):
        cursor.execute(f"create table {schema}.ours (id int)")


def test_system_databases_have_honest_sizes_too(target: Target) -> None:
    with visit(target) as probe:
        names = probe.list_databases()
        assert {"information_schema", "mysql", "performance_schema"} <= set(names)
        outcomes = {outcome.database_name: outcome for outcome in probe.measure(names)}
    assert outcomes["information_schema"].total_bytes == outcomes["performance_schema"].total_bytes == 0
    # The tables that logs may be written to are CSV files.
    assert outcomes["mysql"] == MissingSize(
        "mysql", Reason.INCOMPLETE, "It has 2 tables that tell no size, as CSV tables and damaged ones do."
    )


def test_a_csv_table_makes_its_schema_incomplete_and_no_other(target: Target) -> None:
    schema, neighbour = target.create_schema(), target.create_schema()
    target.fill(neighbour, "plain", 100)
    target.ask(f"create table {schema}.listed (id int not null) engine=CSV", f"insert into {schema}.listed values (1)")
    assert missing(target, schema, Reason.INCOMPLETE) == f"It has 1 {UNSIZED}."
    assert isinstance(measure(target, schema, neighbour)[1], DatabaseSize)


@contextmanager
def damaged(target: Target, path: Path) -> Generator[None]:
    """While the block lasts, the file holds something else."""
    target.ask("flush tables")
    whole = path.read_bytes()
    path.write_bytes(b"not what it was")
    try:
        yield
    finally:
        target.ask("flush tables")
        path.write_bytes(whole)


def test_a_damaged_table_makes_its_schema_incomplete_and_no_other(target: Target) -> None:
    schema, neighbour = target.create_schema(), target.create_schema()
    for each in (schema, neighbour):
        target.fill(each, "other", 100, "engine=MyISAM")
    with damaged(target, target.files(schema) / "other.MYI"):
        outcomes = measure(target, schema, neighbour)
    assert outcomes[0] == MissingSize(schema, Reason.INCOMPLETE, f"It has 1 {UNSIZED}.")
    assert isinstance(outcomes[1], DatabaseSize)
    assert total_bytes(target, schema) == outcomes[1].total_bytes


def test_a_damaged_definition_makes_its_schema_incomplete(maria: Target) -> None:
    schema = maria.create_schema()
    maria.fill(schema, "other", 100, "engine=MyISAM")
    with damaged(maria, maria.files(schema) / "other.frm"):
        assert missing(maria, schema, Reason.INCOMPLETE) == "It has 1 tables whose definition cannot be read."


def test_empty_tables_of_any_engine_are_no_damaged_ones(target: Target) -> None:
    schema = target.create_schema()
    for engine in ("MyISAM", "ARCHIVE") if target.family == "mysql" else ("MyISAM", "Aria"):
        target.ask(f"create table {schema}.{engine} (id int) engine={engine}")
    assert total_bytes(target, schema) == bytes_on_disk(target.files(schema))


def test_a_tablespace_that_mariadb_cannot_open_makes_its_schema_incomplete(maria: Target) -> None:
    schema = maria.create_schema()
    maria.fill(schema, "kept", 100)
    maria.fill(schema, "discarded", 100)
    maria.ask(f"alter table {schema}.discarded discard tablespace")
    detail = missing(maria, schema, Reason.INCOMPLETE)
    assert detail == "It has 1 tablespaces that the server lists no file of, even after it was told to open them."
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


def test_a_folder_that_is_no_schema_is_listed_and_empty(maria: Target) -> None:
    folder = maria.files("mysql").parent / "lost+found"  # as on a volume of its own
    folder.mkdir()
    try:
        with visit(maria) as probe:
            assert "#mysql50#lost+found" in probe.list_databases()
        assert total_bytes(maria, "#mysql50#lost+found") == 0
    finally:
        folder.rmdir()


def test_a_right_that_was_revoked_for_one_schema_is_missed_there_alone() -> None:
    for target in tidy(mysql_target()):
        schema, revoked, login = target.create_schema(), target.create_schema(), target.create_login()
        (before,) = target.ask("select @@global.partial_revokes")
        target.ask("set global partial_revokes = on", f"revoke show view on {revoked}.* from {target.account(login)}")
        try:
            target.fill(revoked, "other", 100, "engine=MyISAM")
            target.ask(f"grant event on {revoked}.* to {target.account(login)}")
            missing(target, revoked, Reason.NO_PERMISSION, login)
            assert total_bytes(target, schema, login) == 0
        finally:
            target.drop_created()
            target.ask(f"set global partial_revokes = {before[0]}")


def test_tls_is_used_as_the_instance_says(tmp_path: Path) -> None:
    made = make_certificates(tmp_path, address="127.0.0.1")
    with running(tmp_path / "server", f"--ssl-cert={made.server}", f"--ssl-key={made.server_key}", f"--ssl-ca={made.authority}") as target:
        encrypted, plain = target.create_login(requirement="require ssl"), target.create_login()
        trusted, distrusted = str(made.authority), str(made.stranger)
        for settings in (
            {"sslmode": None},
            {"sslmode": "prefer"},
            {"sslmode": "require"},
            {"sslmode": "require", "sslrootcert": trusted},
            {"sslmode": "verify-ca", "sslrootcert": trusted},
            {"sslmode": "verify-full", "sslrootcert": trusted},
        ):
            with visit(target, encrypted, **settings) as probe:
                assert probe.list_databases()
        with visit(target, plain, sslmode="disable") as probe:
            assert probe.list_databases()
        for login, settings, reason in (
            (encrypted, {"sslmode": "disable"}, Reason.AUTHENTICATION_FAILED),
            (plain, {"sslmode": "verify-full"}, Reason.TLS_FAILED),
            (plain, {"sslmode": "verify-ca", "sslrootcert": distrusted}, Reason.TLS_FAILED),
            (plain, {"sslmode": "require", "sslrootcert": distrusted}, Reason.TLS_FAILED),
            (plain, {"sslmode": "require", "sslrootcert": "/nowhere.pem"}, Reason.TLS_FAILED),
            (plain, {"sslmode": "sometimes"}, Reason.TLS_FAILED),
        ):
            with pytest.raises(LoginRejectedError) as caught, visit(target, login, **settings):
                pass
            assert caught.value.reason is reason, settings


def test_a_server_that_wants_tls_is_not_called_without() -> None:
    for target in tidy(mysql_target()):
        login = target.create_login()
        target.ask("set global require_secure_transport = on")
        try:
            assert measure(target, "sys", login=login)
            with pytest.raises(LoginRejectedError, match="insecure transport") as caught, visit(target, login, sslmode="disable"):
                pass
            assert caught.value.reason is Reason.TLS_FAILED
        finally:
            target.ask("set global require_secure_transport = off")


def test_the_name_of_the_server_is_verified_only_by_verify_full(tmp_path: Path) -> None:
    made = make_certificates(tmp_path, address="127.0.0.2")
    with running(tmp_path / "server", f"--ssl-cert={made.server}", f"--ssl-key={made.server_key}") as target:
        with visit(target, sslmode="verify-ca", sslrootcert=str(made.authority)) as probe:
            assert probe.list_databases()
        with (
            pytest.raises(LoginRejectedError, match="IP address mismatch"),
            visit(target, sslmode="verify-full", sslrootcert=str(made.authority)),
        ):
            pass


def test_tls_that_the_server_does_not_offer_is_refused_by_us(tmp_path: Path) -> None:
    with running(tmp_path, "--skip-ssl") as target:
        with visit(target) as probe:
            assert probe.list_databases()
        with pytest.raises(LoginRejectedError, match="SSL is required") as caught, visit(target, sslmode="require"):
            pass
        assert caught.value.reason is Reason.TLS_FAILED
