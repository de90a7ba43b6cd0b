"""Distinguishes statements that only read from those that write, lock, or trigger something, for the logs of servers."""

import re
from collections.abc import Iterable

# How our statements may begin. SHOW reads whatever follows; SET affects only the session, like set_config().
_SHOWING = re.compile(r"show\b", re.IGNORECASE)
_READING = re.compile(r"(select|with|begin|start transaction|commit|rollback|set (?!global|persist))\b", re.IGNORECASE)
_WRITING = re.compile(
    r"\b(insert|update|delete|merge|replace into|create|drop|alter|truncate|grant|revoke|rename|comment on|copy|vacuum|reindex|cluster|"
    r"refresh|analyze|optimize|repair|lock|flush|reset|kill|shutdown|call|do|exec|execute|prepare|notify|listen|into (out|dump)file|"
    r"nextval|setval|dbcc|backup|restore|waitfor|bulk|openrowset|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_switch_wal|"
    r"lo_\w+|pg_advisory\w*|dblink\w*|for (no key )?(update|share))\b",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]", re.DOTALL)


def writing(statements: Iterable[str]) -> list[str]:
    """Those that do not only read. Words within comments, literals and quoted names do not count."""
    return [statement for statement in statements if not _only_reads(statement)]


def _only_reads(statement: str) -> bool:
    bare = _QUOTED.sub(" ? ", _COMMENTS.sub(" ", statement)).strip().rstrip(";")
    return ";" not in bare and bool(_SHOWING.match(bare) or (_READING.match(bare) and not _WRITING.search(bare)))
