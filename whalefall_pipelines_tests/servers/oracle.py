"""Oracle without an Oracle: a listener's refusal as it stands on the wire, and a connection whose statements DuckDB executes.

The dictionary's views are tables here, as Oracle documents them; statements are translated by sqlglot. What a real server answers is
tested nowhere.
"""

import struct
from dataclasses import dataclass, field
from types import SimpleNamespace

import duckdb
import oracledb
import sqlglot

GIBIBYTE = 2**30
_VIEWS = ("DBA_TABLESPACES", "DBA_DATA_FILES", "DBA_TEMP_FILES")
_CATALOGUE = """
create table product_component_version (product varchar, version varchar);
insert into product_component_version values ('NLSRTL', '19.0.0.0.0'), ('Oracle Database 19c Enterprise Edition', '19.0.0.0.0');
create table all_views (owner varchar, view_name varchar);
create table dba_tablespaces (tablespace_name varchar);
create table dba_data_files (tablespace_name varchar, bytes bigint, maxbytes bigint, autoextensible varchar);
create table dba_temp_files (tablespace_name varchar, bytes bigint, maxbytes bigint, autoextensible varchar);
create macro sys_context(space, name) as case name when 'CON_NAME' then 'ORCLPDB1' when 'SESSION_USER' then 'WHALEFALL' end;
"""


def refusal(code: int) -> bytes:
    """A listener's answer to whoever asks for what it does not have (TNS packet of type 4)."""
    text = f"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))".encode()
    return struct.pack(">HHBBHBBH", 12 + len(text), 0, 4, 0, 0, 0x22, 0, len(text)) + text


@dataclass
class OracleDouble:
    """A DB-API connection and its own cursor. `failure` is the error number of every statement from now on."""

    failure: int | None = None
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute(_CATALOGUE)
        for view in _VIEWS:
            self.database.execute("insert into all_views values ('SYS', ?)", (view,))

    def add_tablespace(self, name: str, *files: tuple[int | None, int | None], temporary: bool = False) -> None:
        """A tablespace with files of so many bytes that may grow to so many; None is a file that may not grow, or tells no size."""
        self.database.execute("insert into dba_tablespaces values (?)", (name,))
        table = "dba_temp_files" if temporary else "dba_data_files"
        for size, most in files:
            self.database.execute(f"insert into {table} values (?, ?, ?, ?)", (name, size, most or 0, "YES" if most else "NO"))

    def hide(self, view: str) -> None:
        self.database.execute("delete from all_views where view_name = ?", (view,))

    def cursor(self) -> "OracleDouble":
        return self

    def execute(self, statement: str) -> None:
        if self.failure:
            message = f"ORA-{self.failure:05}: as told"
            raise oracledb.DatabaseError(SimpleNamespace(code=self.failure, full_code=message[:9], message=message))
        self.statements.append(statement)
        self.database.execute(sqlglot.transpile(statement, read="oracle", write="duckdb")[0])

    def fetchall(self) -> list[tuple[object, ...]]:
        return self.database.fetchall()

    def close(self) -> None:
        """Cursor and connection are one; DuckDB goes with it."""
