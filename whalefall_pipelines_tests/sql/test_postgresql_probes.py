"""Statements for monitored PostgreSQL servers call nothing that another user may have created: every function, operator, type and table
is qualified with pg_catalog, whatever the search_path is.
"""

import re

import pytest

from whalefall_pipelines import queries

PROBES = sorted(path.stem for path in (queries.SQL_ROOT / "probes" / "postgresql").glob("*.sql"))
_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|\s+
    |(?P<operator>operator\s*\(\s*(?P<schema>\w+)\.[^\s\w)]+\s*\))
    |(?P<parameter>%\(\w+\)s)
    |(?P<name>[a-z_]\w*(?:\s*\.\s*[a-z_]\w*)*)
    |(?P<literal>'(?:[^']|'')*'|\d+(?:\.\d+)?)
    |(?P<cast>::)
    |(?P<sign>-(?=\d))
    |(?P<symbol>[-+*/<>=~!@#%^&|`?]+)
    |(?P<mark>[(),;.\[\]"$:])""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Syntax that precedes a parenthesis, and syntax that looks up its operators in the search_path.
_SYNTAX = {"any", "all", "exists", "when", "then", "else", "and", "or", "not", "as", "from", "lateral", "where", "select", "coalesce"}
_SYNTAX |= {"array", "filter", "greatest", "join", "materialized", "over", "values"}
_LOOKS_UP = {"in", "like", "ilike", "similar", "between", "nullif", "using", "natural", "distinct"}


def unqualified(statement: str) -> list[str]:
    """The parts of a statement that are looked up in the search_path."""
    kinds = ((match.lastgroup, match[0].strip().lower()) for match in _scan(statement))
    tokens = [("operator" if kind == "schema" else kind, text) for kind, text in kinds if kind]
    names = set(re.findall(r"(?:\bwith|,)\s*(\w+)\s+as\s*(?:materialized\s*)?\(", statement)) | set(
        re.findall(r"\bas\s+(\w+)\s*\(", statement)
    )
    edge = ("", "")
    around = zip([edge, *tokens], tokens, [*tokens[1:], edge], strict=False)
    return [token[1] for before, token, after in around if _is_unqualified(before, token, after[1], names)]


def _scan(statement: str) -> list[re.Match[str]]:
    matches: list[re.Match[str]] = []
    position = 0
    while position < len(statement):
        match = _TOKEN.match(statement, position)
        assert match, statement[position : position + 30]
        matches.append(match)
        position = match.end()
    return matches


def _is_unqualified(before: tuple[str, str], token: tuple[str, str], after: str, names: set[str]) -> bool:
    kind, text = token
    if kind == "name":
        is_table = before[1] in {"from", "join"} and text != "lateral"
        is_called = after == "(" and text not in _SYNTAX
        is_looked_up = (is_table or is_called) and text not in names
        return text in _LOOKS_UP or ((is_looked_up or before[0] == "cast") and not text.startswith("pg_catalog."))
    if kind == "operator":
        return "pg_catalog." not in text
    if kind == "sign":
        return before[0] in {"name", "literal"}
    return kind == "symbol" and not (text == "*" and before[1] in {"select", "(", "."})


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_calls_only_what_the_server_itself_brings(name: str) -> None:
    assert unqualified(queries.load(f"probes/postgresql/{name}")) == []


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_is_ascii(name: str) -> None:
    """The sessions have no encoding, so that psycopg2 sends nothing else."""
    assert queries.load(f"probes/postgresql/{name}").isascii()


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("select format('x', y) from pg_catalog.pg_database", ["format"]),
        ("select public.format('x') from pg_catalog.pg_database", ["public.format"]),
        ("select a = b from pg_catalog.pg_database", ["="]),
        ("select a operator(public.=) b from pg_catalog.pg_database", ["operator(public.=)"]),
        ("select a || 'b' from pg_catalog.pg_database", ["||"]),
        ("select a - 2 from pg_catalog.pg_database", ["-"]),
        ("select a -2 from pg_catalog.pg_database", ["-"]),
        ("select a::text from pg_catalog.pg_database", ["text"]),
        ("select a from pg_database", ["pg_database"]),
        ("select a from pg_catalog.pg_database where a in ('x')", ["in"]),
        ("select a from pg_catalog.pg_database as d inner join settings as s using (a)", ["settings", "using"]),
        ("select count(*) from pg_catalog.pg_database", ["count"]),
        ("select pg_catalog.count(*) from pg_catalog.pg_database -- format(x)", []),
        ("with d as (select 1) select a operator(pg_catalog.=) -2 from d", []),
    ],
)
def test_unqualified_names_are_found(statement: str, names: list[str]) -> None:
    assert unqualified(statement) == names
