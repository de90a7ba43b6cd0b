"""Lays out a table for people within a width. Not by rich, whose import takes longer than most commands.

A table that is too wide loses its less important columns first, as far as the command names them, then long texts are wrapped between
words. What is still too wide is printed as one block per row. A word is never broken: people copy names from here.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_GAP = "  "
# A text is wrapped to lines of this many characters at least, as long as there are columns that can be left out instead.
_READABLE = 20
_SIZE = re.compile(r"–|[-+]?[\d.,]+ ?([kMGT]?B|%)")


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column: its header and its cells, aligned to the right if they are numbers or sizes."""

    header: str
    cells: tuple[str, ...]
    is_numeric: bool

    @property
    def natural_width(self) -> int:
        """The width without any wrapping."""
        return max(map(text_width, (self.header, *self.cells)))

    @property
    def longest_word(self) -> int:
        """The width that it needs at least. Numbers stay beside their unit."""
        if self.is_numeric:
            return self.natural_width
        return max(text_width(word) for cell in (self.header, *self.cells) for word in cell.split(" "))


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of the header (none of a table of blocks), those of the rows, and the columns that were left out."""

    header: tuple[str, ...]
    lines: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def lay_out(columns: Sequence[TableColumn], width: int | None, *, droppable: Sequence[str] = ()) -> Layout:
    """Lay out a table. `droppable` names the columns that may be left out, the least important one first. No width is no limit."""
    kept = list(columns)
    left_out: list[str] = []
    waiting = [column for name in droppable for column in columns if column.header == name]
    while not _fits(kept, width, _READABLE) and waiting:
        left_out.append(waiting[0].header)
        kept.remove(waiting.pop(0))
    if not _fits(kept, width, 0):
        return Layout((), _blocks(columns))
    widths = _widths(kept, width, _READABLE if _fits(kept, width, _READABLE) else 0)
    header = _row_lines(kept, [column.header for column in kept], widths)
    rows = zip(*(column.cells for column in kept), strict=True)
    return Layout(header, tuple(line for row in rows for line in _row_lines(kept, row, widths)), tuple(left_out))


def are_sizes(cells: Sequence[str]) -> bool:
    """Whether all cells are sizes or percentages with their unit, or unknown."""
    return all(_SIZE.fullmatch(cell) for cell in cells)


def text_width(text: str) -> int:
    """The number of terminal columns that a text takes: Chinese and Japanese characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


def wrap(text: str, width: int) -> list[str]:
    """Break a text between words into lines of at most this width, or of one word that is longer."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(lines[-1]) + 1 + text_width(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _least(column: TableColumn, readable: int) -> int:
    return max(column.longest_word, min(column.natural_width, readable))


def _fits(columns: Sequence[TableColumn], width: int | None, readable: int) -> bool:
    return width is None or sum(_least(column, readable) for column in columns) + len(_GAP) * (len(columns) - 1) <= width


def _widths(columns: Sequence[TableColumn], width: int | None, readable: int) -> list[int]:
    """The width of each column: the natural one, with the widest columns narrowed until the table fits."""
    widths = [column.natural_width for column in columns]
    least = [_least(column, readable) for column in columns]
    excess = 0 if width is None else sum(widths) + len(_GAP) * (len(columns) - 1) - width
    for _ in range(excess):
        _, widest = max((widths[number], number) for number in range(len(widths)) if widths[number] > least[number])
        widths[widest] -= 1
    return widths


def _row_lines(columns: Sequence[TableColumn], cells: Sequence[str], widths: Sequence[int]) -> tuple[str, ...]:
    wrapped = [[cell] if text_width(cell) <= width else wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines: list[str] = []
    for number in range(max(map(len, wrapped))):
        parts = [part[number] if number < len(part) else "" for part in wrapped]
        padded = [_pad(part, width, to_the_right=column.is_numeric) for part, width, column in zip(parts, widths, columns, strict=True)]
        lines.append(_GAP.join(padded).rstrip())
    return tuple(lines)


def _pad(text: str, width: int, *, to_the_right: bool) -> str:
    filling = " " * (width - text_width(text))
    return filling + text if to_the_right else text + filling


def _blocks(columns: Sequence[TableColumn]) -> tuple[str, ...]:
    """One line per cell, and an empty line between rows. The terminal breaks what is too long, and a copy of it stays whole."""
    width = max(text_width(column.header) for column in columns)
    lines: list[str] = []
    for row in range(len(columns[0].cells)):
        lines += [""] if row else []
        lines += [f"{_pad(column.header, width, to_the_right=False)}{_GAP}{column.cells[row]}" for column in columns]
    return tuple(lines)
