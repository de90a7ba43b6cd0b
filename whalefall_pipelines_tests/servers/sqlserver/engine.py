"""Executes statements: T-SQL that `sql/probes/sqlserver/` has, translated by sqlglot and run by DuckDB over the catalogue.

Every other statement is an error with the server's own number; so are unknown parts of the catalogue, and an overflow of int.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from whalefall_pipelines import queries
from whalefall_pipelines_tests.servers.sqlserver.catalogue import ONLINE, Catalogue, utf_16
from whalefall_pipelines_tests.servers.sqlserver.messages import Result, ServerError
from whalefall_pipelines_tests.servers.sqlserver.own_views import OWN_VIEWS
from whalefall_pipelines_tests.servers.sqlserver.principals import OWN
from whalefall_pipelines_tests.servers.sqlserver.values import Column

# Statements that drivers send by themselves when they connect; none of them changes an answer.
_OF_DRIVERS = re.compile(
    r"(set (textsize \d+|quoted_identifier (on|off)|ansi_\w+ (on|off)|concat_null_yields_null (on|off)|implicit_transactions (on|off)))"
    r"|if @@trancount > 0 (commit|rollback)( tran)?|(commit|rollback|begin) tran(saction)?",
    re.IGNORECASE,
)
_TYPES = {
    "TINYINT": "tinyint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "BOOLEAN": "bit",
    "DOUBLE": "float",
    "VARCHAR": "nvarchar",
    "BLOB": "varbinary",
}
_TYPES |= {"TIMESTAMP": "datetime", "DATE": "date"}
# The views that every database has, and the table function that replaces each.
_OWN = OWN_VIEWS | OWN
_MOST_INT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Caller:
    """Who executes a statement."""

    login: str
    database: str


def parse(text: str) -> exp.Expr:
    """One statement of ours or of a client; names of parameters and of the database that a statement is composed for do not count.

    Raises:
        SqlglotError: it is not T-SQL.
    """
    return sqlglot.parse_one(text, read="tsql")


def of_file(name: str) -> str:
    """A statement of `sql/probes/sqlserver/` as T-SQL, its parameters as variables."""
    text = queries.load(f"probes/sqlserver/{name}").replace("{database_name}", "[x]")
    return re.sub(r"%\((\w+)\)s", r"@\1", text)


def statement_names() -> list[str]:
    return sorted(path.stem for path in (queries.SQL_ROOT / "probes" / "sqlserver").glob("*.sql"))


@cache
def _known() -> frozenset[str]:
    return frozenset(_normal(parse(of_file(name))) for name in statement_names())


def _parts(tree: exp.Expr) -> list[exp.Expr]:
    """The statements of which a union consists."""
    return [*_parts(tree.left), *_parts(tree.right)] if isinstance(tree, exp.Union) and not tree.args["distinct"] else [tree]


def _normal(tree: exp.Expr) -> str:
    tree = tree.copy()
    for parameter in tree.find_all(exp.Parameter):
        parameter.set("this", exp.to_identifier("p"))
    for table in _own_catalogues(tree):
        table.set("catalog", exp.to_identifier("x", quoted=True))
    return tree.sql("tsql", comments=False)


def _own_catalogues(tree: exp.Expr) -> list[exp.Table]:
    return [table for table in tree.find_all(exp.Table) if table.name.lower() in _OWN and table.catalog]


def execute(catalogue: Catalogue, caller: Caller, text: str, parameters: Sequence[object] = (), *, also_known: str | None = None) -> Result:
    """Execute a statement as this caller; `also_known` is one that it may be besides those of `sql/probes/sqlserver/`.

    Raises:
        ServerError: as SQL Server would answer.
    """
    if _OF_DRIVERS.fullmatch(text.strip().rstrip(";")):
        return Result()
    try:
        tree = parse(text)
    except SqlglotError as error:
        raise ServerError(102, f"Incorrect syntax near '{text[:20]}'.", severity=15) from error
    if text != also_known and not all(_normal(part) in _known() for part in _parts(tree)):
        raise ServerError(102, f"The fixture has no such statement: {text[:200]}", severity=15)
    _check_rights(catalogue, caller, tree)
    values = {f"P{number}": value for number, value in enumerate(parameters, 1)}
    return _run(catalogue, caller, _translated(tree), values)


def _check_rights(catalogue: Catalogue, caller: Caller, tree: exp.Expr) -> None:
    for table in tree.find_all(exp.Table):
        name = f"{table.catalog}.{table.db}.{table.name}"
        if table.name.startswith("dm_") and not catalogue.has_right(caller.login, "VIEW SERVER STATE"):
            raise ServerError(300, "VIEW SERVER STATE permission was denied on object 'server', database 'master'.", severity=14)
        if table.catalog == "msdb" and table.db == "dbo" and not catalogue.has_right(caller.login, f"SELECT ON {name}"):
            sentence = f"The SELECT permission was denied on the object '{table.name}', database 'msdb', schema 'dbo'."
            raise ServerError(229, sentence, severity=14, state=5)
    own = _own_catalogues(tree)
    is_let_in = bool(own) and catalogue.has_right(caller.login, "CONNECT ANY DATABASE")
    states = catalogue.states_of([table.catalog for table in own])
    for table in own:
        if table.catalog.lower() not in states:
            raise ServerError(208, f"Invalid object name '{table.catalog}.sys.{table.name}'.")
        state, is_readable = states[table.catalog.lower()]
        if not is_let_in:
            sentence = (
                f'The server principal "{caller.login}" is not able to access the database "{table.catalog}" under the current '
                "security context."
            )
            raise ServerError(916, sentence, severity=14)
        if state != ONLINE:
            raise ServerError(942, f"Database '{table.catalog}' cannot be opened because it is {state.lower()}.", severity=14, state=4)
        if not is_readable:
            sentence = f"The target database, '{table.catalog}', is participating in an availability group and is currently not accessible"
            raise ServerError(976, f"{sentence} for queries.", severity=14)


def _translated(tree: exp.Expr) -> str:
    tree = tree.copy()
    for cast in list(tree.find_all(exp.Cast)):
        if cast.is_type("varbinary"):  # only of names: their text goes to `_run`, which handles UTF-16 and halves of surrogate pairs
            cast.replace(cast.this)
    for table in _own_catalogues(tree):
        files = exp.Anonymous(this=_OWN[table.name.lower()], expressions=[exp.Literal.string(table.catalog)])
        table.replace(exp.Table(this=files, alias=table.args.get("alias")))
    for applied in list(tree.find_all(exp.Lateral)):  # here a function has the same answer for every row
        name = exp.to_identifier(applied.this.expression.name)
        applied.replace(exp.Table(this=name, db=exp.to_identifier("sys"), alias=applied.args["alias"]))
    # T-SQL's sum of int is an int and overflows; DuckDB's never does.
    for total in list(tree.find_all(exp.Sum)):
        total.replace(_guarded(total.this.sql("duckdb")).copy())
    return tree.sql("duckdb", comments=False)


@cache
def _guarded(argument: str) -> exp.Expr:
    guarded = (
        f"case when typeof(any_value({argument})) = 'INTEGER' and sum({argument}) > {_MOST_INT} "
        f"then error('8115 Arithmetic overflow error converting expression to data type int.') else sum({argument}) end"
    )
    return exp.paren(sqlglot.parse_one(guarded, read="duckdb"), copy=False)


def _run(catalogue: Catalogue, caller: Caller, text: str, values: Mapping[str, object]) -> Result:
    with catalogue.connection.cursor() as cursor:
        cursor.execute("set variable login = ?", (caller.login,))
        try:
            cursor.execute(text, dict(values) if values else None)
            rows = cursor.fetchall()
        except duckdb.Error as error:
            raise _as_server_error(error, text) from error
        columns = tuple(_column(*described[:2]) for described in cursor.description or ())
        return Result(columns, tuple(tuple(map(_value, columns, row)) for row in rows))


def _value(column: Column, value: object) -> object:
    return utf_16(value) if column.type_name == "varbinary" and isinstance(value, str) else value


def _column(name: str, kind: object) -> Column:
    text = "BLOB" if name.endswith("name_bytes") else str(kind)
    if text.startswith("DECIMAL"):
        return Column(name, "decimal", int(text.rstrip(")").partition(",")[2]))
    return Column(name, _TYPES[text])


def _as_server_error(error: duckdb.Error, text: str) -> ServerError:
    message = str(error).partition("\n")[0]
    if match := re.match(r"Invalid Input Error: (\d+) (.*)", message):
        return ServerError(int(match[1]), match[2])
    numbers = {"BinderException": 207, "CatalogException": 208, "ConversionException": 8115, "OutOfRangeException": 8115}
    return ServerError(numbers.get(type(error).__name__, 102), f"{message} ({text[:120]})")
