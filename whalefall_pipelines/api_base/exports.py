"""Exports in the form that a client accepts: CSV, JSON lines, JSON or Parquet. Rows are passed on in pieces and never held."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import ModuleType
from typing import IO, Any, cast

import anyio
from fastapi import Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from whalefall_pipelines.api_base.problems import Refusal

CSV, NDJSON, JSON, PARQUET = "text/csv", "application/x-ndjson", "application/json", "application/vnd.apache.parquet"
FORMS = (CSV, NDJSON, JSON, PARQUET)
_PIECE_BYTES = 1 << 18
Stream = Callable[[str], Iterator[bytes]]


class Export(StreamingResponse):
    """The answer with an export. It ends if the client takes nothing for `stall_seconds`, because it holds a connection to the store."""

    stall_seconds = 60.0

    async def stream_response(self, send: Send) -> None:
        """Send the pieces, as long as the client takes them."""

        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(self.stall_seconds):
                await send(message)

        with suppress(TimeoutError):  # the server closes the connection, because the answer has no end
            await super().stream_response(send_in_time)


def export_answer(request: Request, name: str, stream: Stream) -> Export:
    """The answer in the first form that the client accepts; CSV if it accepts anything. `stream` gets csv or ndjson.

    Raises:
        Refusal: no form is acceptable, or Parquet is not installed.
    """
    form = _accepted(request.headers.get("accept", "*/*"))
    headers = {"Content-Disposition": f'attachment; filename="{name}.{_EXTENSIONS[form]}"', "Cache-Control": "no-store"}
    match form:
        case "application/vnd.apache.parquet":
            body = _parquet(_arrow(), stream("csv"))  # asked for first: a stream cannot be refused after it began
        case "application/json":
            body = _json(stream("ndjson"))
        case "application/x-ndjson":
            body = stream("ndjson")
        case _:
            body = stream("csv")
    return Export(body, media_type=form, headers=headers)


_EXTENSIONS = {CSV: "csv", NDJSON: "ndjson", JSON: "json", PARQUET: "parquet"}


def _accepted(header: str) -> str:
    for part in header.split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in FORMS:
            return kind
        if kind in {"*/*", "text/*"}:
            return CSV
    raise Refusal(406, "NOT_ACCEPTABLE", f"An export is one of {', '.join(FORMS)}: set it in the header Accept.")


def _json(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The envelope around the rows. A line ends where a piece may not, so that only ends of lines become commas."""
    now = datetime.now(UTC).isoformat()
    yield f'{{"success":true,"error":false,"message":"ok","timestamp":"{now}","data":['.encode()
    waiting = b""
    for piece in lines:
        text = waiting + piece
        waiting = b"\n" if text.endswith(b"\n") else b""
        yield text[: len(text) - len(waiting)].replace(b"\n", b",")
    yield b"]}"


def _parquet(arrow: ModuleType, lines: Iterator[bytes]) -> Iterator[bytes]:
    from pyarrow import csv, parquet  # noqa: PLC0415 # pyright: ignore[reportMissingImports, reportUnknownVariableType]

    first = next(lines, b"")
    while b"\n" not in first and (piece := next(lines, None)):
        first += piece
    names = first.partition(b"\n")[0].decode().strip().split(",")
    options: Any = csv.ConvertOptions(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        column_types={name: _type(arrow, name) for name in names},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
        null_values=[""],
    )
    with tempfile.TemporaryFile() as rows, tempfile.TemporaryFile() as file:
        rows.write(first)
        for piece in lines:
            rows.write(piece)
        rows.seek(0)
        reader = cast("Any", csv.open_csv(rows, convert_options=options))  # pyright: ignore[reportUnknownMemberType]
        with parquet.ParquetWriter(file, reader.schema) as writer:  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            for batch in reader:
                writer.write_batch(batch)  # pyright: ignore[reportUnknownMemberType]
        file.seek(0)
        yield from _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _arrow() -> ModuleType:
    try:
        import pyarrow as pa  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
    except ImportError:
        install = "pip install 'whalefall-pipelines[archive]'"
        raise Refusal(406, "NOT_ACCEPTABLE", f"Parquet is not installed here: {install}, or accept {CSV}.") from None
    return pa


def _type(arrow: Any, name: str) -> Any:
    """The type of a column by its name, which has its unit. Guessing from values would make a number of a database called 007."""
    if name.endswith(("_date", "_start", "_end")):
        return arrow.date32()
    if name.endswith(("_bytes", "_count", "_id")) and name != "session_id":
        return arrow.int64()
    if name in {"expected", "measured", "recovered", "estimated", "missing"}:
        return arrow.int64()
    if name.endswith("_percent"):
        return arrow.float64()
    return arrow.bool_() if name.startswith("is_") else arrow.string()
