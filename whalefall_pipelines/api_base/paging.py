"""Pages of lists: page and limit of the product documents, and cursors, which cost the same however far they lead.

A cursor names the last row of a page by its key. It is signed, and belongs to the filters with which it was made.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request

from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.services import ServicesOf

Row = TypeVar("Row")
MOST_ROWS = 200
# Rows before an offset are read and thrown away.
DEEPEST_ROW = 10_000
_SIGNATURE_BYTES = 16
CURSOR_PATTERN = r"^[A-Za-z0-9_-]{8,2000}$"
_NO_FILTER = frozenset({"cursor", "page", "limit", "count"})


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list. `next_cursor` leads to the next one; None on the last. `total` and `pages` are counted if asked for."""

    items: tuple[Row, ...]
    limit: int
    page: int | None
    next_cursor: str | None
    total: int | None = None
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for: after a key, or from an offset."""

    limit: int
    page: int | None
    after: tuple[Any, ...] | None
    wants_total: bool
    filters: str
    key: bytes

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return ((self.page or 1) - 1) * self.limit if self.after is None else 0

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters of a statement: one row more than the page tells whether another one follows."""
        return {"most": self.limit + 1, "skipped": self.offset}

    def after_values(self, *names: str) -> dict[str, Any]:
        """The key after which the page begins, as parameters of a statement; all None at the beginning.

        Raises:
            Refusal: the cursor is of another list.
        """
        values = self.after or (None,) * len(names)
        if len(values) != len(names):
            raise _of_another_list()
        return dict(zip(names, values, strict=True))

    def page_of(self, rows: Sequence[Row], *key: str, total: int | None = None) -> Page[Row]:
        """The page of these rows, which are sorted by the key."""
        items = tuple(rows[: self.limit])
        cursor = self._sign([_text(getattr(items[-1], name)) for name in key]) if len(rows) > self.limit else None
        pages = None if total is None else max(1, -(-total // self.limit))
        return Page(items, self.limit, None if self.after else self.page or 1, cursor, total, pages)

    def _sign(self, values: list[str | None]) -> str:
        body = json.dumps([self.filters, values]).encode()
        return base64.urlsafe_b64encode(_signature(self.key, body) + body).rstrip(b"=").decode()


async def _paging(
    request: Request,
    services: ServicesOf,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="Number of rows per page.")] = 20,
    page: Annotated[int | None, Query(ge=1, le=DEEPEST_ROW, description="Number of the page, from 1. For deep pages, use cursors.")] = None,
    cursor: Annotated[str | None, Query(pattern=CURSOR_PATTERN, description="`next_cursor` of the previous page.")] = None,
    count: Annotated[bool, Query(description="Count all rows, which scans them.")] = False,
) -> Paging:
    filters = _digest(request)
    if page is not None and cursor is not None:
        raise Refusal(400, "VALIDATION_ERROR", "Use either page or cursor, not both.")
    if (page or 1) * limit > DEEPEST_ROW:
        raise Refusal(400, "VALIDATION_ERROR", f"page * limit is more than {DEEPEST_ROW}: follow next_cursor with the parameter cursor.")
    after = None if cursor is None else _read(services.cursor_key, cursor, filters)
    return Paging(limit, page, after, count, filters, services.cursor_key)


PagingOf = Annotated[Paging, Depends(_paging)]


def _digest(request: Request) -> str:
    kept = sorted((name, value) for name, value in request.query_params.multi_items() if name not in _NO_FILTER)
    return hashlib.blake2b(repr((request.url.path, kept)).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _signature(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_SIGNATURE_BYTES]


def _read(key: bytes, cursor: str, filters: str) -> tuple[Any, ...]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise _of_another_list() from None
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(key, body)):
        raise _of_another_list()
    made_with, values = json.loads(body)
    if made_with != filters:
        raise Refusal(400, "VALIDATION_ERROR", "The cursor belongs to a request with other filters. Start again without it.")
    return tuple(values)


def _of_another_list() -> Refusal:
    return Refusal(400, "VALIDATION_ERROR", "The cursor does not belong to this list. Start again without it.")
