"""Metadata as people read it in the Dagster UI: Markdown tables that no name can break."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

# A table of more rows than this is read by nobody; the count beside it is always whole.
MOST_ROWS = 200
Metadata = Mapping[str, int | dg.MarkdownMetadataValue]


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """A Markdown table; unknown is a dash, and hostile names cannot break out of their cell."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    body = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines + (body or ["| " + " | ".join("–" for _ in columns) + " |"])))


def _cell(value: object) -> str:
    if value is None:
        return "–"
    text = f"{value:,}" if isinstance(value, int) else str(value)
    for mark in ("\\", "|", "`", "*", "_", "<", ">", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return printable(text)


def printable(text: str) -> str:
    """A text of one line, whatever a hostile name holds."""
    return "".join(character if character.isprintable() else "␀" if character == "\0" else " " for character in text)
