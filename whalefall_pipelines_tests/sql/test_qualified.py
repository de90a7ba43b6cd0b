"""Statements for monitored servers name the schema of everything that another login of the server could shadow."""

import re

import pytest
import sqlglot
from sqlglot import exp

from whalefall_pipelines import queries

FOLDERS = {"sqlserver": "tsql", "oracle": "oracle"}
STATEMENTS = [(folder, path.stem) for folder in FOLDERS for path in sorted((queries.SQL_ROOT / "probes" / folder).glob("*.sql"))]
# Built-in functions, which both engines look up before any user-defined ones; sqlglot knows the others by name.
BUILT_IN = {
    *(
        "serverproperty",
        "original_login",
        "quotename",
        "has_perms_by_name",
        "db_id",
        "has_dbaccess",
        "loginproperty",
        "getutcdate",
        "dm_io_virtual_file_stats",
        "dm_os_volume_stats",
    ),
    *("sys_context", "rawtohex", "sys_extract_utc"),
}


def tree_of(folder: str, name: str) -> exp.Expr:
    text = queries.load(f"probes/{folder}/{name}").replace("{database_name}", "[x]")
    return sqlglot.parse_one(re.sub(r"%\((\w+)\)s", r"@\1" if folder == "sqlserver" else r":\1", text), read=FOLDERS[folder])


def unqualified(tree: exp.Expr) -> set[str]:
    """Tables without a system schema, functions that are not built in, and types that may be user-defined."""
    named_in_it = {common.alias for common in tree.find_all(exp.CTE)}
    tables = {table.name for table in tree.find_all(exp.Table) if table.db.lower() not in {"sys", "dbo"}} - named_in_it
    functions = {function.name.lower() for function in tree.find_all(exp.Anonymous)} - BUILT_IN
    types = {str(kind) for kind in tree.find_all(exp.DataType) if kind.this == exp.DataType.Type.USERDEFINED}
    return tables | functions | types


@pytest.mark.parametrize(("folder", "name"), STATEMENTS)
def test_everything_is_qualified(folder: str, name: str) -> None:
    assert unqualified(tree_of(folder, name)) == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("select a from databases", {"databases"}),
        ("select mine(a) as b from sys.databases", {"mine"}),
        ("select a from sys.x where a in (select b from public.y)", {"y"}),
        ("select cast(a as mine) as b from sys.x", {"mine"}),
    ],
)
def test_unqualified_names_are_found(text: str, names: set[str]) -> None:
    assert {name.lower() for name in unqualified(sqlglot.parse_one(text, read="tsql"))} == names
