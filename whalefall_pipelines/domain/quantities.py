"""Parses sizes (`500GiB`, `2TB`), formats them exactly or rounded (`104.7 MB`), and says numbers of things (`1 row`, `2 rows`)."""

import re
from decimal import Decimal

_BINARY = {"PIB": 2**50, "TIB": 2**40, "GIB": 2**30, "MIB": 2**20, "KIB": 2**10, "B": 1}
_FACTORS = _BINARY | {"PB": 10**15, "TB": 10**12, "GB": 10**9, "MB": 10**6, "KB": 10**3}
_SIZE = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,19})?) ?([A-Za-z]{1,3})")
LARGEST_BYTES = 2**63 - 1  # the store's bigint


def parse_size(text: str) -> int | None:
    """Parse a number with a unit to whole bytes, rounded down; None if it is not a size.

    A number without a unit is not a size, because the unit would be a guess.
    """
    match = _SIZE.fullmatch(text.strip())
    factor = _FACTORS.get(match[2].upper()) if match else None
    if match is None or factor is None:
        return None
    size = int(Decimal(match[1]) * factor)
    return size if size <= LARGEST_BYTES else None


def format_size(size: int) -> str:
    """Format bytes in the largest binary unit that divides them, so that `parse_size` returns the same value."""
    unit = next(unit for unit, factor in _BINARY.items() if size % factor == 0 or unit == "B")
    return f"{size // _BINARY[unit]}{unit.replace('I', 'i')}"


def round_size(size: int) -> str:
    """Format bytes rounded for people: 104.7 MB. The units are decimal everywhere, as in Dagster's plots."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def counted(number: int, noun: str, plural: str | None = None, *, is_change: bool = False) -> str:
    """Say a number with what is counted: 1 database, 1,234 databases; a change has its sign.

    A plural that is not the noun with an s is passed, and so are other words that follow the number: `"is missing", "are missing"`.
    """
    words = noun if abs(number) == 1 else plural or f"{noun}s"
    return f"{number:+,} {words}" if is_change else f"{number:,} {words}"
