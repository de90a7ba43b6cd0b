"""Connections that must send the head of a request in time, and not without end. uvicorn alone would wait for ever, and keep everything."""

from asyncio import BaseTransport
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 15.0
MOST_HEAD_BYTES = 65_536
_REFUSAL = b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(HttpToolsProtocol):
    """One connection of a client. `head_seconds` may pass until the head of a request is complete."""

    head_seconds = HEAD_SECONDS
    _before: RequestResponseCycle | None = None
    _head_bytes = 0

    def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request, which may be the first one of a further request."""
        if self.timeout_keep_alive_task is not None:
            self._expect_head()
        super().data_received(data)
        if self._is_head_missing():
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")

    def _expect_head(self) -> None:
        self._before, self._head_bytes = self._cycle(), 0
        self.loop.call_later(self.head_seconds, self._end_waiting, self._before)

    def _end_waiting(self, before: RequestResponseCycle | None) -> None:
        if before is self._before and self._is_head_missing():
            self._refuse(b"408 Request Timeout")

    def _is_head_missing(self) -> bool:
        return self._cycle() is self._before and self in self.connections  # a websocket is another protocol's

    def _cycle(self) -> RequestResponseCycle | None:
        return cast("RequestResponseCycle | None", self.cycle)

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(_REFUSAL % status)
            self.transport.close()
