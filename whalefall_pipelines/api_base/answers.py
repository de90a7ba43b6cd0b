"""Answers: the envelope of the product documents, made by msgspec from the dataclasses that the verbs return, and their ETag."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec
from fastapi import Response
from pydantic import BaseModel

Data = TypeVar("Data")
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_MOST_REMEMBERED = 4096


class Success(BaseModel, Generic[Data]):
    """A successful request."""

    success: Literal[True]
    error: Literal[False]
    message: str
    timestamp: datetime
    data: Data


@dataclass(frozen=True, slots=True)
class Reply(Generic[Data]):
    """Data with a sentence, a status and headers of its own, for endpoints that need them."""

    data: Data
    message: str = "ok"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Known:
    """The ETags of recent answers, each with what the store contained when it was made: an equal store gives an equal answer."""

    etags: OrderedDict[str, tuple[str, str]] = field(default_factory=OrderedDict[str, tuple[str, str]])

    def remember(self, url: str, contents: str, etag: str) -> None:
        """Remember the ETag of an answer, and forget the oldest."""
        self.etags[url] = contents, etag
        self.etags.move_to_end(url)
        if len(self.etags) > _MOST_REMEMBERED:
            self.etags.popitem(last=False)

    def find(self, url: str, contents: str) -> str | None:
        """The ETag of the answer to this URL, if the store still contains the same."""
        known, etag = self.etags.get(url, ("", None))
        return etag if known == contents else None


def encode(data: object) -> bytes:
    """JSON bytes: bytes of sizes are integers, instants and dates are ISO texts, unknown is null."""
    return _encoder.encode(data)


def etag_of(data: bytes) -> str:
    """A strong ETag over the data, without the time of the answer."""
    return f'"{hashlib.blake2b(data, digest_size=16).hexdigest()}"'


def envelope(data: bytes, *, message: str = "ok", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The answer with this data."""
    now = datetime.now(UTC).isoformat().encode()
    head = b'{"success":true,"error":false,"message":' + encode(message) + b',"timestamp":"' + now + b'","data":'
    return Response(head + data + b"}", status, headers, "application/json")


def is_fresh(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has the answer with this ETag."""
    return if_none_match is not None and (if_none_match.strip() == "*" or etag in (part.strip() for part in if_none_match.split(",")))


def not_modified(etag: str) -> Response:
    """The answer to a client that has it."""
    return Response(status_code=304, headers=cached(etag))


def cached(etag: str) -> dict[str, str]:
    """The headers of an answer that a client may keep and must ask about."""
    return {"ETag": etag, "Cache-Control": "private, no-cache"}


def fields_of(row: Any) -> dict[str, Any]:
    """A dataclass as a dictionary of JSON values, for CSV and for what is stored."""
    return msgspec.json.decode(encode(row))
