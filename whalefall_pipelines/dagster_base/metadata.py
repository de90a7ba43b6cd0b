"""Metadata for the Dagster UI: Markdown tables that are safe against hostile names, and sizes that people can read and compare."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import dagster as dg

from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.settings import load_settings

# Nobody reads a table with more rows than this. The count beside the table always covers all rows.
MOST_ROWS = 200
# Between a number and its unit, which narrow tables would else break apart.
NO_BREAK = "\N{NO-BREAK SPACE}"
Metadata = Mapping[str, int | float | str | dg.MarkdownMetadataValue | dg.UrlMetadataValue]


def markdown_table(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Metadata:
    """An entry with a Markdown table; no entry if there are no rows.

    Unknown values are dashes, and hostile names cannot break out of their cell.
    """
    body = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return {name: dg.MetadataValue.md("\n".join(lines + body))} if body else {}


def session_metadata(session_id: UUID | str) -> Metadata:
    """The session of a run: its id, and its page in the console, on the host of the Dagster UI or under WHALEFALL_PUBLIC_URL."""
    url = f"{load_settings().public_url.rstrip('/')}/session?id={session_id}"
    return {"session_id": str(session_id), "session": dg.MetadataValue.url(url)}


def gigabytes(**sizes: int | None) -> Metadata:
    """Sizes in GB (10^9 bytes), which Dagster plots. An unknown size has no entry, because it is not 0."""
    return {name: round(size / 10**9, 6) for name, size in sizes.items() if size is not None}


def exact_bytes(**sizes: int | None) -> Metadata:
    """The exact sizes, for programs. An unknown size has no entry."""
    return {name: size for name, size in sizes.items() if size is not None}


def shown_size(size: int | None) -> str | None:
    """A size as people read it: 104.7 MB."""
    return None if size is None else round_size(size).replace(" ", NO_BREAK)


def shown_change(change: int | None) -> str | None:
    """A change of a size with its sign: +512.9 kB."""
    return None if change is None else f"{'+' if change > 0 else ''}{shown_size(change)}"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return escaped(f"{value:,}" if isinstance(value, int) else str(value))


def escaped(text: str) -> str:
    """The text as Markdown that shows exactly these characters, on one line."""
    for mark in ("\\", "|", "`", "*", "_", "<", ">", "[", "]", "&"):
        text = text.replace(mark, f"\\{mark}")
    return printable(text)


def printable(text: str) -> str:
    """Turn a text into one printable line, even if a hostile name contains control characters."""
    return "".join(sign if sign.isprintable() or sign == NO_BREAK else "␀" if sign == "\0" else " " for sign in text)
