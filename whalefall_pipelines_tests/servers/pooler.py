"""A pooler in front of a PostgreSQL server: it gives clients its own session numbers, as pgbouncer, Odyssey and pgpool do."""

import contextlib
import socket
import threading

from whalefall_pipelines_tests.servers.listener import Listener

_KEY = b"K" + (12).to_bytes(4, "big")  # BackendKeyData: the process of the session, and the key to cancel it


class Pooler(Listener):
    """Forwards to a server. `greetings` has the first messages of clients, with the settings that they requested for their session."""

    def __init__(self, server_host: str, server_port: int) -> None:
        super().__init__(self._lend)
        self.greetings: list[bytes] = []
        self._server = (server_host, server_port)

    def _lend(self, client: socket.socket) -> None:
        with socket.create_connection(self._server, timeout=5) as server:
            server.settimeout(None)
            self._connections.append(server)
            answers = threading.Thread(target=self._answer, args=(server, client))
            answers.start()
            with contextlib.suppress(OSError):
                while piece := client.recv(65536):
                    self.greetings.append(piece)
                    server.sendall(piece)
                server.shutdown(socket.SHUT_WR)
            answers.join()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := server.recv(65536):
                begin, key, end = piece.partition(_KEY)
                client.sendall(begin + key + b"\0\0\0\7" + end[4:] if key else piece)
            client.shutdown(socket.SHUT_WR)
