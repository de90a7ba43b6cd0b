"""Real receivers on loopback: an HTTP server and an SMTP server that answer as a test says."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from whalefall_pipelines.runtime.processes import free_port


@dataclass
class HttpReceiver:
    """What arrived. The statuses are answered in turn, the last of them for ever; `seconds` is how long each answer takes."""

    statuses: list[int] = field(default_factory=lambda: [200])
    seconds: float = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/SECRET-IN-PATH?token=SECRET-IN-QUERY"


@contextmanager
def http_receiver(receiver: HttpReceiver) -> Iterator[HttpReceiver]:
    """Serve for the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            receiver.requests.append((dict(self.headers), body))
            time.sleep(receiver.seconds)
            status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
            self.send_response(status)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name of the base class

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class SmtpReceiver:
    """The mails that arrived. With `refusal` none is taken."""

    refusal: str | None = None
    mails: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        if self.refusal:
            return self.refusal
        self.mails.append(envelope.content.decode())
        return "250 OK"


@contextmanager
def smtp_receiver(receiver: SmtpReceiver) -> Iterator[SmtpReceiver]:
    """Serve for the block."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # what the receiver writes down is not ours
    receiver.port = free_port()
    controller = Controller(receiver, hostname="127.0.0.1", port=receiver.port)
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
