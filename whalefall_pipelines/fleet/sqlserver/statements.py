"""Composes the statements of `sql/probes/sqlserver/` for ODBC, which has only positional parameters."""

import re
from collections.abc import Mapping, Sequence

from whalefall_pipelines import queries

_PARAMETER = re.compile(r"%\((\w+)\)s")


def statement(query: str, values: Mapping[str, object]) -> tuple[str, list[object]]:
    """A statement with its parameters in order."""
    text = queries.load(query)
    return _PARAMETER.sub("?", text), [values[name] for name in _PARAMETER.findall(text)]


def union(query: str, database_names: Sequence[str]) -> tuple[str, list[object]]:
    """The union of a statement over these databases, whose names it has as values and, composed, as quoted names."""
    text, values = statement(query, {"database_name": None})
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    parts = (text, *[body] * (len(database_names) - 1))
    named = (part.replace("{database_name}", quoted(name)) for part, name in zip(parts, database_names, strict=True))
    return "\nunion all\n".join(named), [name for name in database_names for _ in values]


def quoted(name: str) -> str:
    """A name as a part of a statement."""
    return "[" + name.replace("]", "]]") + "]"


def is_sendable(name: str) -> bool:
    """Tell whether ODBC can send this name as text: half a surrogate pair is none, and NUL ends one."""
    return "\0" not in name and not re.search("[\ud800-\udfff]", name)
