"""Names of databases as the store can keep them: PostgreSQL's text has neither the character NUL nor half a surrogate pair."""

import re

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ESCAPE = re.compile(r"\\u[0-9a-f]{4}")


def storable(name: str) -> str:
    r"""The name itself, or with escapes (`\ud83d`) where the store cannot hold it; two names never become one.

    A name that holds what looks like an escape is escaped, too: a backslash is doubled in it. So every name with an escape can be read
    back in one way only, and no name without one looks like it.
    """
    if not _UNSTORABLE.search(name) and not _ESCAPE.search(name):
        return name
    return _UNSTORABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", name.replace("\\", "\\\\"))
