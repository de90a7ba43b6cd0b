"""The SQL Server for tests, listening: a thread for each session, from prelogin to the last request. Statements run in `engine.py`."""

import itertools
import socket
import ssl
import threading
from dataclasses import dataclass, field

from whalefall_pipelines_tests.servers.listener import Listener
from whalefall_pipelines_tests.servers.sqlserver import channel as wire
from whalefall_pipelines_tests.servers.sqlserver import messages
from whalefall_pipelines_tests.servers.sqlserver.catalogue import ONLINE, REFUSALS, SERVER_NAME, VERSION, Catalogue
from whalefall_pipelines_tests.servers.sqlserver.channel import Channel
from whalefall_pipelines_tests.servers.sqlserver.engine import Caller, execute
from whalefall_pipelines_tests.servers.sqlserver.messages import Encryption, LoginRequest, Result, ServerError
from whalefall_pipelines_tests.servers.sqlserver.values import UnsupportedTypeError


@dataclass(slots=True)
class Session:
    """The state of one client, kept for tests to inspect."""

    channel: Channel
    caller: Caller | None = None
    application: str = ""
    is_login_encrypted: bool = False
    is_encrypted: bool = False
    statements: list[str] = field(default_factory=list)
    attentions: int = 0
    prepared: dict[int, str] = field(default_factory=dict)


class SqlServer(Listener):
    """With a TLS context it encrypts what clients want encrypted, and with `forces_encryption` everything. `held` stops every statement
    in which `held_on` stands until it is cleared or the client loses patience; `next_error` is the error of our next statement in
    which `error_on` stands.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        forces_encryption: bool = False,
    ) -> None:
        super().__init__(self._carry, host)
        self.catalogue = catalogue or Catalogue()
        self.held = threading.Event()
        self.held_on = ""
        self.next_error: ServerError | None = None
        self.error_on = ""
        self.sessions: list[Session] = []
        self.rejected_logins = 0
        self._tls, self._forces_encryption = tls, forces_encryption
        self._session_ids = itertools.count(51)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.catalogue.close()

    @property
    def statements(self) -> list[str]:
        """All requests, in any session."""
        return [statement for session in self.sessions for statement in session.statements]

    def _carry(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(Channel(client, next(self._session_ids)))
        if self._let_in(session):
            self.sessions.append(session)
            while True:
                self._answer(session, *session.channel.read_message())

    def _let_in(self, session: Session) -> bool:
        channel = session.channel
        kind, payload = channel.read_message()
        if kind != wire.PRELOGIN:
            return False
        asked = messages.read_prelogin(payload)
        encryption = self._encryption(asked.encryption)
        channel.write_message(messages.answer_prelogin(asked, encryption, VERSION))
        if asked.encryption is Encryption.NOT_SUPPORTED and encryption is Encryption.REQUIRED:
            return False
        if encryption is not Encryption.NOT_SUPPORTED:
            assert self._tls
            channel.start_tls(self._tls)
        kind, payload = channel.read_message()
        if kind != wire.LOGIN:
            return False
        session.is_login_encrypted = channel.is_encrypted
        if encryption is Encryption.OFF:
            channel.stop_tls()
        session.is_encrypted = channel.is_encrypted
        return self._log_in(session, messages.read_login(payload))

    def _encryption(self, asked: Encryption) -> Encryption:
        if self._tls is None:
            return Encryption.NOT_SUPPORTED
        if self._forces_encryption:
            return Encryption.ON if asked in {Encryption.ON, Encryption.REQUIRED} else Encryption.REQUIRED
        if asked is Encryption.NOT_SUPPORTED:
            return Encryption.NOT_SUPPORTED
        return Encryption.OFF if asked is Encryption.OFF else Encryption.ON

    def _log_in(self, session: Session, asked: LoginRequest) -> bool:
        error = self._refusal(asked)
        if error:
            self.rejected_logins += 1
            session.channel.write_message(messages.error_of(error, SERVER_NAME) + messages.done(status=messages.ERROR))
            return False
        database = asked.database or "master"
        old_size = session.channel.packet_size
        new_size = min(max(asked.packet_size or old_size, 512), 32767)
        session.caller = Caller(asked.username, database)
        session.application = asked.application
        session.channel.write_message(messages.accept_login(asked, database, VERSION, old_size=old_size, new_size=new_size))
        session.channel.packet_size = new_size
        return True

    def _refusal(self, asked: LoginRequest) -> ServerError | None:
        password, number = self.catalogue.password_of(asked.username) or (None, None)
        number = 18456 if password != asked.password else number
        if number:
            return ServerError(number, REFUSALS[number].format(asked.username), severity=14)
        if asked.database and ONLINE not in self.catalogue.states_of([asked.database]).get(asked.database.lower(), ()):
            sentence = f'Cannot open database "{asked.database}" requested by the login. The login failed.'
            return ServerError(4060, sentence, severity=11)
        return None

    def _answer(self, session: Session, kind: int, payload: bytes) -> None:
        if kind == wire.BATCH:
            answer = self._batch(session, messages.read_batch(payload))
        elif kind == wire.RPC:
            answer = self._procedure(session, payload)
        elif kind == wire.TRANSACTION:
            answer = self._transaction(payload)
        elif kind == wire.ATTENTION:  # it came after the answer that it was meant to stop
            session.attentions += 1
            answer = messages.done(status=messages.ATTENTION)
        else:
            raise ConnectionError(f"message {kind}")
        session.channel.write_message(answer)

    def _batch(self, session: Session, text: str) -> bytes:
        try:
            return messages.rows_of(self._execute(session, text))
        except ServerError as error:
            return self._failure(session, error)

    def _failure(self, session: Session, error: ServerError) -> bytes:
        if error.number == 0:
            return messages.done(status=messages.ATTENTION)
        answer = messages.error_of(error, SERVER_NAME) + messages.done(status=messages.ERROR)
        if error.severity >= 20:
            session.channel.write_message(answer)
            raise ConnectionError("ended by its own error")
        return answer

    def _procedure(self, session: Session, payload: bytes) -> bytes:
        try:
            result, handle = self._call(session, *messages.read_procedure(payload))
        except UnsupportedTypeError as error:
            return self._failure(session, ServerError(8024, f"The fixture cannot read a parameter: {error}"))
        except ServerError as error:
            return self._failure(session, error)
        rows = messages.rows_of(result, messages.DONE_IN_PROCEDURE, messages.MORE)
        return rows + messages.return_status() + handle + messages.done(messages.DONE_PROCEDURE)

    def _call(self, session: Session, name: str, values: list[object]) -> tuple[Result, bytes]:
        if name == "sp_executesql":
            return self._execute(session, str(values[0]), values[2:]), b""
        if name == "sp_prepexec":
            number = len(session.prepared) + 1
            session.prepared[number] = str(values[2])
            return self._execute(session, str(values[2]), values[3:]), messages.return_handle(number)
        if name == "sp_execute":
            return self._execute(session, session.prepared[int(str(values[0]))], values[1:]), b""
        if name in {"sp_unprepare", "sp_datatype_info_100"}:  # the latter lists types, and drivers accept an empty list
            return Result(), b""
        raise ServerError(2812, f"Could not find stored procedure '{name}'.")

    def _transaction(self, payload: bytes) -> bytes:
        request = int.from_bytes(payload[payload[0] : payload[0] + 2], "little")
        return messages.transaction_change({5: 8, 7: 9, 8: 10}[request]) + messages.done()

    def _execute(self, session: Session, text: str, values: list[object] | None = None) -> Result:
        assert session.caller
        session.statements.append(text)
        while self.held.is_set() and self.held_on in text and not self._is_over.is_set():
            if session.channel.has_message(0.01):
                if session.channel.read_message()[0] != wire.ATTENTION:
                    raise ConnectionError("something else than an attention")
                session.attentions += 1
                raise ServerError(0, "stopped by an attention")
        result = execute(self.catalogue, session.caller, text, values or ())
        if self.next_error and result.columns and self.error_on in text:
            error, self.next_error = self.next_error, None
            raise error
        return result
