r"""Names as a PostgreSQL server keeps them, which are bytes, and as whalefall writes them, which is text; different bytes, different text.

A server keeps a name in whatever encoding it was given in: that of the database whose session gave it, or any at all with SQL_ASCII.
A name is read as UTF-8. A byte that is none is written `\xHH`, and a backslash that would be taken for the beginning of such a byte
is written as the byte that it is: `\x5c`.
"""

import re

_LIKE_A_BYTE = re.compile(rb"\\(?=x[0-9A-Fa-f]{2})")
_BYTE = re.compile(rb"\\x([0-9a-f]{2})")


def decode_name(name: bytes) -> str:
    """The text for the bytes of a name; `encode_name` gives the bytes back."""
    escaped = _LIKE_A_BYTE.sub(rb"\\x5c", name) if b"\\" in name else name
    return escaped.decode("utf-8", "backslashreplace")


def encode_name(text: str) -> bytes:
    """The bytes of a name that was written by `decode_name`."""
    return _BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode())


def is_utf8(name: bytes) -> bool:
    """Whether the name can be typed as it is read."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
