"""A DB-API connection to an Oracle that is none: our statements, translated by sqlglot, run by DuckDB over a dictionary of our own.

The views are tables here, with the columns that Oracle documents; a login sees those that it was granted. What a real server answers is
tested nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

import duckdb
import oracledb
import sqlglot
from sqlglot import exp

GIBIBYTE = 2**30
BLOCK = 8192
NEEDED = ("dba_tablespaces", "dba_data_files", "dba_temp_files")
USED = "dba_tablespace_usage_metrics"
HISTORY = ("dba_hist_tbspc_space_usage", "dba_hist_snapshot", "v_$tablespace")
VIEWS = (*NEEDED, USED, *HISTORY)
_CONTAINER = 3
_CATALOGUE = f"""
create table product_component_version (product varchar, version varchar);
insert into product_component_version values ('NLSRTL', '19.0.0.0.0'), ('Oracle Database 19c Enterprise Edition', '19.0.0.0.0');
create table all_views (owner varchar, view_name varchar);
create table dba_tablespaces (tablespace_name varchar, contents varchar, block_size integer);
create table dba_data_files (tablespace_name varchar, bytes bigint, maxbytes bigint, autoextensible varchar);
create table dba_temp_files (tablespace_name varchar, bytes bigint, maxbytes bigint, autoextensible varchar);
create table dba_tablespace_usage_metrics (tablespace_name varchar, used_space bigint);
create table "v$tablespace" ("ts#" integer, name varchar, con_id integer);
create table dba_hist_snapshot (
    snap_id integer, dbid bigint, instance_number integer, end_interval_time timestamp, snap_timezone interval, snap_flag integer);
create table dba_hist_tbspc_space_usage (
    snap_id integer, dbid bigint, con_id integer, tablespace_id integer, tablespace_size bigint, tablespace_maxsize bigint,
    tablespace_usedsize bigint);
create macro sys_context(space, name) as
    case name when 'CON_NAME' then 'ORCLPDB1' when 'CON_ID' then '{_CONTAINER}' when 'SESSION_USER' then 'WHALEFALL' end;
"""


@dataclass
class OracleDouble:
    """A connection and its own cursor, at first with all rights. `failure` is the error number of every statement from now on, or of
    those in which `failure_on` stands."""

    failure: int | None = None
    failure_on: str = ""
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute(_CATALOGUE)
        self.grant(*VIEWS)

    def add_tablespace(
        self, name: str, *files: tuple[int | None, int | None], contents: str = "PERMANENT", used_blocks: int | None = None
    ) -> None:
        """A tablespace with files of so many bytes that may grow to so many; None is a file that may not grow, or tells no size."""
        self._run("insert into dba_tablespaces values (?, ?, ?)", name, contents, BLOCK)
        self._run('insert into "v$tablespace" select count(*), ?, ? from "v$tablespace"', name, _CONTAINER)
        # The same number is another tablespace in another container.
        self._run('insert into "v$tablespace" select max("ts#"), ?, ? from "v$tablespace"', f"{name} of the root", 1)
        table = "dba_temp_files" if contents == "TEMPORARY" else "dba_data_files"
        for size, most in files:
            self._run(f"insert into {table} values (?, ?, ?, ?)", name, size, most or 0, "YES" if most else "NO")
        if used_blocks is not None:
            self._run("insert into dba_tablespace_usage_metrics values (?, ?)", name, used_blocks)

    def add_tablespaces(self, names: Sequence[str]) -> None:
        """Tablespaces of one file of a block each, by two statements instead of four for each."""
        self._run("insert into dba_tablespaces select unnest(?), 'PERMANENT', ?", names, BLOCK)
        self._run("insert into dba_data_files select unnest(?), ?, 0, 'NO'", names, BLOCK)

    def drop_tablespaces(self, names: Sequence[str]) -> None:
        for table in ("dba_tablespaces", "dba_data_files", "dba_temp_files", USED):
            self._run(f"delete from {table} where tablespace_name in (select unnest(?))", names)

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
        """A snapshot of AWR at this local time of the server: size, limit and used blocks of tablespaces. Each node has its own instant."""
        for node in range(nodes):
            at = local + timedelta(seconds=node)
            self._run("insert into dba_hist_snapshot values (?, 1, ?, ?, ?, ?)", number, node + 1, at, offset, flag)
        for name, sizes in blocks.items():
            self._run(
                'insert into dba_hist_tbspc_space_usage select ?, 1, ?, "ts#", ?, ?, ? from "v$tablespace" where name = ?',
                *(number, container, *sizes, name),
            )

    def grant(self, *views: str) -> None:
        for view in views:
            self._run("insert into all_views values ('SYS', ?)", view.upper())

    def revoke(self, *views: str) -> None:
        for view in views:
            self._run("delete from all_views where view_name = ?", view.upper())

    def cursor(self) -> "OracleDouble":
        return self

    def execute(self, statement: str, parameters: Mapping[str, object] | None = None) -> None:
        if self.failure and self.failure_on in statement:
            raise _error(self.failure, "as told")
        self.statements.append(statement)
        tree = sqlglot.parse_one(statement, read="oracle")
        granted = {str(name).lower() for (name,) in self.database.execute("select view_name from all_views").fetchall()}
        for table in tree.find_all(exp.Table):
            if table.name.replace("v$", "v_$") in set(VIEWS) - granted:
                raise _error(942, "table or view does not exist")
        self.database.execute(tree.sql("duckdb", identify=True), dict(parameters) if parameters else None)

    def fetchall(self) -> list[tuple[object, ...]]:
        return self.database.fetchall()

    def describe(self) -> Sequence[tuple[str, str]]:
        """Name and DuckDB's type of each column of the last statement."""
        return [(str(column[0]), str(column[1])) for column in self.database.description or ()]

    def close(self) -> None:
        """Cursor and connection are one; DuckDB goes with it."""

    def _run(self, statement: str, *values: object) -> None:
        with self.database.cursor() as cursor:  # of its own: a session may be using the other
            cursor.execute(statement, values)


def _error(number: int, message: str) -> oracledb.DatabaseError:
    text = f"ORA-{number:05}: {message}"
    return oracledb.DatabaseError(SimpleNamespace(code=number, full_code=text[:9], message=text))
