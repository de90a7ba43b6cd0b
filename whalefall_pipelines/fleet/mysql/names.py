"""How MySQL writes the names of schemas and tables as names of folders and files: letters, digits and _ as they are, the rest as @ and four
hexadecimal digits, or as @ and two signs for letters of alphabets that have cases. MariaDB decodes them itself, MySQL does not.
"""

import re

# Letters that may be written with two signs; which ones is a table of 1,500 lines that is not needed to compare names.
_LETTERS = re.compile("[\u0080-\u05ff\u1e00-\u1fff\u2160-\u217f\u24b0-\u24ef\uff20-\uff5f]")
_ENCODED = re.compile(r"@([0-9a-f]{4})|@(..)")
_UNTOLD = "\0"  # no name holds it


def likeness(name: str) -> str:
    """What names have in common that may be written alike: two with different ones are different names."""
    return _LETTERS.sub(_UNTOLD, name)


def likeness_of_encoded(encoded: str) -> str:
    """The likeness of the name that this part of a path stands for."""
    # A name that Windows reserves, such as `aux`, is `aux@@@`.
    decoded = _ENCODED.sub(lambda match: chr(int(match[1], 16)) if match[1] else _UNTOLD, encoded.removesuffix("@@@"))
    return likeness(decoded)


def decoded(encoded: str) -> str:
    """The name that this folder stands for; one that cannot be told is called as MySQL calls such folders, by the folder itself."""
    name = likeness_of_encoded(encoded)
    return f"#mysql50#{encoded}" if _UNTOLD in name else name
