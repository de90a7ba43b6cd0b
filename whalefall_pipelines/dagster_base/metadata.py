"""Metadata for the Dagster UI: Markdown tables that are safe against hostile names."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

# Nobody reads a table with more rows than this. The count beside the table always covers all rows.
MOST_ROWS = 200
Metadata = Mapping[str, int | dg.MarkdownMetadataValue]


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Format a Markdown table. Unknown values are dashes, and hostile names cannot break out of their cell."""
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
    """Turn a text into one printable line, even if a hostile name contains control characters."""
    return "".join(character if character.isprintable() else "␀" if character == "\0" else " " for character in text)
