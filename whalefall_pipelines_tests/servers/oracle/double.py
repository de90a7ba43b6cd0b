"""A DB-API connection to a simulated Oracle: our statements, translated by sqlglot, run by DuckDB over our own dictionary.

The views are tables here, with the columns that Oracle documents; a login sees those that it was granted. What a real server answers is
not tested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

import duckdb
import oracledb
import sqlglot
from sqlglot import exp

from whalefall_pipelines_tests.servers.oracle.accounts import ACCOUNTS, TABLES

GIBIBYTE = 2**30
BLOCK = 8192
NEEDED = ("dba_tablespaces", "dba_data_files", "dba_temp_files")
USED = "dba_tablespace_usage_metrics"
HISTORY = ("dba_hist_tbspc_space_usage", "dba_hist_snapshot", "v_$tablespace")
IDENTITY = ("v_$database", "v_$instance")
IDENTIFIERS = ("v_$tablespace", "v_$datafile")
SHARED = ("v_$log", "v_$logfile", "v_$standby_log", "v_$controlfile")
VOLUMES = ("v_$asm_diskgroup_stat",)
SEGMENTS = ("dba_segments", "dba_indexes", "dba_lobs", "dba_tables")
VIEWS = tuple(dict.fromkeys((*NEEDED, *SEGMENTS, USED, *HISTORY, *IDENTITY, *IDENTIFIERS, *SHARED, *VOLUMES, *ACCOUNTS)))
PUBLIC = ("product_component_version", "all_users", "all_views", "session_privs")
_CONTAINER = 3
# Represent bytes of names that are invalid in the server's character set, which DuckDB cannot hold.
_BYTES = {0xDC00 + byte: chr(0xF0000 + byte) for byte in range(0x80, 0x100)}
_CATALOGUE = f"""
create schema sys;
create table sys.dual (dummy varchar);
insert into sys.dual values ('X');
create table sys.product_component_version (product varchar, version varchar);
insert into sys.product_component_version values ('NLSRTL', '19.0.0.0.0'), ('Oracle Database 19c Enterprise Edition', '19.0.0.0.0');
create table sys.all_users (username varchar);
create table sys.all_views (owner varchar, view_name varchar);
create table sys.session_privs (privilege varchar);
create table sys.dba_tablespaces (tablespace_name varchar, contents varchar, block_size integer);
create table sys.dba_data_files (tablespace_name varchar, bytes bigint, maxbytes bigint, autoextensible varchar);
create table sys.dba_temp_files (tablespace_name varchar, bytes bigint, maxbytes bigint, autoextensible varchar);
create table sys.dba_tablespace_usage_metrics (tablespace_name varchar, used_space bigint);
create table sys."v_$tablespace" ("ts#" integer, name varchar, con_id integer);
create table sys."v_$datafile" ("ts#" integer, con_id integer, "creation_change#" bigint);
create table sys."v_$database" (dbid bigint, con_dbid bigint, database_role varchar);
insert into sys."v_$database" values (1611, 3022, 'PRIMARY');
create table sys."v_$instance" (parallel varchar, startup_time timestamp);
insert into sys."v_$instance" values ('NO', timestamp '2026-11-01 06:00:00');
create table sys."v_$log" ("group#" integer, bytes bigint, members integer);
create table sys."v_$standby_log" ("group#" integer, bytes bigint);
create table sys."v_$logfile" ("group#" integer);
create table sys."v_$controlfile" (block_size integer, file_size_blks integer);
create table sys."v_$asm_diskgroup_stat" (name varchar, type varchar, total_mb bigint, free_mb bigint, usable_file_mb bigint);
create table sys.dba_hist_snapshot (
    snap_id integer, dbid bigint, instance_number integer, end_interval_time timestamp, snap_timezone interval, snap_flag integer);
create table sys.dba_hist_tbspc_space_usage (
    snap_id integer, dbid bigint, con_id integer, tablespace_id integer, tablespace_size bigint, tablespace_maxsize bigint,
    tablespace_usedsize bigint);
create table sys.dba_segments (
    owner varchar, segment_name varchar, partition_name varchar, segment_type varchar, tablespace_name varchar, bytes bigint);
create table sys.dba_indexes (owner varchar, index_name varchar, index_type varchar, table_owner varchar, table_name varchar);
create table sys.dba_lobs (owner varchar, table_name varchar, segment_name varchar, index_name varchar);
create table sys.dba_tables (owner varchar, table_name varchar, num_rows bigint);
create sequence changes;
create table container (con_id integer);
insert into container values ({_CONTAINER});
create macro sys_context(space, name) as case name
    when 'CON_NAME' then 'ORCLPDB1' when 'SESSION_USER' then 'WHALEFALL'
    when 'CON_ID' then (select c.con_id from container as c)::varchar end;
create macro rawtohex(value) as value;
"""


@dataclass
class OracleDouble:
    """A connection and its own cursor, at first with all privileges. `failure` is the error number of every statement from now on, or of
    those in which `failure_on` stands. A name may have bytes that are no text in the server's character set, as Python's surrogateescape
    writes them: the server sends U+FFFD in their place, or with `is_utf_8`, where it does not look, the bytes themselves."""

    failure: int | None = None
    failure_on: str = ""
    is_utf_8: bool = False
    hidden: set[str] = field(default_factory=set[str])
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute(_CATALOGUE + TABLES)
        self.grant(*VIEWS)

    def add_tablespace(
        self, name: str, *files: tuple[int | None, int | None], contents: str = "PERMANENT", used_blocks: int | None = None
    ) -> None:
        """A tablespace with files of these sizes and growth limits in bytes; None is a file that cannot grow, or has no known size."""
        name = name.translate(_BYTES)
        self._run("insert into sys.dba_tablespaces values (?, ?, ?)", name, contents, BLOCK)
        tablespaces, created = 'sys."v_$tablespace"', 'sys."v_$datafile"'
        self._run(f"insert into {tablespaces} select count(*), ?, ? from {tablespaces}", name, _CONTAINER)
        # The same number is a different tablespace in another container.
        self._run(f'insert into {tablespaces} select max("ts#"), ?, ? from {tablespaces}', f"{name} of the root", 1)
        if contents != "TEMPORARY":
            for container in (_CONTAINER, 1):
                self._run(f"""insert into {created} select max("ts#"), ?, nextval('changes') from {tablespaces}""", container)
        table = "sys.dba_temp_files" if contents == "TEMPORARY" else "sys.dba_data_files"
        for size, most in files:
            self._run(f"insert into {table} values (?, ?, ?, ?)", name, size, most or 0, "YES" if most else "NO")
        if used_blocks is not None:
            self._run("insert into sys.dba_tablespace_usage_metrics values (?, ?)", name, used_blocks)

    def add_tablespaces(self, names: Sequence[str]) -> None:
        """Tablespaces of one file of a block each, by two statements instead of four for each."""
        self._run("insert into sys.dba_tablespaces select unnest(?), 'PERMANENT', ?", names, BLOCK)
        self._run("insert into sys.dba_data_files select unnest(?), ?, 0, 'NO'", names, BLOCK)

    def drop_tablespaces(self, names: Sequence[str]) -> None:
        for table in ("dba_tablespaces", "dba_data_files", "dba_temp_files", USED):
            self._run(f"delete from sys.{table} where tablespace_name in (select unnest(?))", names)

    def add_snapshot(
        self,
        number: int,
        local: datetime,
        blocks: Mapping[str, tuple[int | None, int, int]],
        *,
        offset: timedelta = timedelta(hours=8),
        flag: int = 0,
        container: int = _CONTAINER,
        nodes: int = 1,
    ) -> None:
        """An AWR snapshot at this local time of the server: size, limit and used blocks of tablespaces. Each node has its own instant."""
        for node in range(nodes):
            at = local + timedelta(seconds=node)
            self._run("insert into sys.dba_hist_snapshot values (?, 1, ?, ?, ?, ?)", number, node + 1, at, offset, flag)
        for name, sizes in blocks.items():
            self._run(
                'insert into sys.dba_hist_tbspc_space_usage select ?, 1, ?, "ts#", ?, ?, ? from sys."v_$tablespace" where name = ?',
                *(number, container, *sizes, name),
            )

    def grant(self, *views: str) -> None:
        for view in views:
            self._run("insert into sys.all_views values ('SYS', ?)", view.upper())

    def revoke(self, *views: str) -> None:
        for view in views:
            self._run("delete from sys.all_views where view_name = ?", view.upper())

    def rename_tablespace(self, name: str, new_name: str) -> None:
        for table, column in (("dba_tablespaces", "tablespace_name"), ("dba_data_files", "tablespace_name"), ('"v_$tablespace"', "name")):
            self._run(f"update sys.{table} set {column} = ? where {column} = ?", new_name, name)

    def recreate_tablespace(self, name: str) -> None:
        """Drop and recreate it: the number of the old one is reused, and its first file is created by a later change."""
        number = 'select t."ts#" from sys."v_$tablespace" as t where t.name = ?'
        self._run(f"""update sys."v_$datafile" set "creation_change#" = nextval('changes') where "ts#" = ({number})""", name)

    def run(self, statement: str, *values: object) -> None:
        """Change the contents of the dictionary."""
        self._run(statement, *values)

    def cursor(self) -> "OracleDouble":
        return self

    def execute(self, statement: str, parameters: Mapping[str, object] | None = None) -> None:
        if self.failure and self.failure_on in statement:
            raise _error(self.failure, "as told")
        self.statements.append(statement)
        tree = sqlglot.parse_one(statement, read="oracle")
        granted = {str(name).lower() for (name,) in self.database.execute("select view_name from sys.all_views").fetchall()}
        granted |= set(VIEWS) if self.database.execute("select count(*) from sys.session_privs").fetchone() != (0,) else set()
        for table in tree.find_all(exp.Table):
            if table.db == "sys" and table.name in set(VIEWS) - granted | self.hidden:
                raise _error(942, "table or view does not exist")
        self.database.execute(tree.sql("duckdb", identify=True), dict(parameters) if parameters else None)

    def fetchall(self) -> list[tuple[object, ...]]:
        columns = [name for name, _ in self.describe()]
        return [tuple(map(self._value, columns, row)) for row in self.database.fetchall()]

    def _value(self, column: str, value: object) -> object:
        if not isinstance(value, str):
            return value
        text = value.translate({ord(mark): byte for byte, mark in _BYTES.items()})
        if column.endswith("name_bytes"):
            return text.encode("utf-8", "surrogateescape").hex().upper()
        return text if self.is_utf_8 else "".join("\ufffd" if ord(character) in _BYTES else character for character in text)

    def describe(self) -> Sequence[tuple[str, str]]:
        """Name and DuckDB's type of each column of the last statement."""
        return [(str(column[0]), str(column[1])) for column in self.database.description or ()]

    def close(self) -> None:
        """Cursor and connection are one; DuckDB is closed with it."""

    def _run(self, statement: str, *values: object) -> None:
        with self.database.cursor() as cursor:  # a separate one, because a session may be using the other
            cursor.execute(statement, values)


def _error(number: int, message: str) -> oracledb.DatabaseError:
    text = f"ORA-{number:05}: {message}"
    return oracledb.DatabaseError(SimpleNamespace(code=number, full_code=text[:9], message=text))
