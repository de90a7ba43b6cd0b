"""A MySQL that asks for too much, a proxy that answers itself, names that shadow ours, and an environment meant for another client."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import sqlglot
from sqlglot import expressions

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines_tests.fleet.test_mysql_refusals import packet
from whalefall_pipelines_tests.servers.listener import Listener
from whalefall_pipelines_tests.servers.mariadb import Target, instance_at, probing, total_bytes
from whalefall_pipelines_tests.servers.postgresql import Certificates, make_certificates
from whalefall_pipelines_tests.servers.probes import PATIENT, SECRET, failure, refused

pytestmark = pytest.mark.process
PROBES = Path(__file__).parents[2] / "sql" / "probes" / "mysql"
CLEAR = [b"mysql_clear_password", b"dialog"]
# Version, thread, half of the salt, what it can (TLS is 0x0800), character set, the other half of the salt, how one logs in.
GREETING = b"\x0a8.0.0\0\1\0\0\0saltsalt\0\xff%c\x2d\2\0\xff\x81\x15" + b"\0" * 10 + b"saltsaltsalt\0mysql_native_password\0"


def asking_for(plugin: bytes, heard: list[bytes], certificates: Certificates | None = None) -> Callable[[socket.socket], None]:
    """A server that switches to this plugin, with TLS or without, and records what it receives."""

    def ask(client: socket.socket, number: int) -> None:
        heard.append(client.recv(65536))
        client.sendall(packet(number, b"\xfe" + plugin + b"\0" + (b"\2Password: " if plugin == b"dialog" else b"")))
        heard.append(client.recv(65536))

    def serve(client: socket.socket) -> None:
        client.settimeout(5)
        client.sendall(packet(0, GREETING % (0xFF if certificates else 0xF7)))
        if certificates is None:
            ask(client, 2)
            return
        client.recv(36)  # that the client wants TLS
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server, certificates.server_key)
        with context.wrap_socket(client, server_side=True) as encrypted:
            ask(encrypted, 3)

    return serve


@pytest.mark.parametrize("plugin", CLEAR)
@pytest.mark.parametrize("sslmode", [None, "disable"])
def test_a_server_that_asks_for_the_password_in_the_clear_does_not_get_it(plugin: bytes, sslmode: str | None) -> None:
    heard: list[bytes] = []
    with Listener(asking_for(plugin, heard)) as host, failure(Reason.TLS_FAILED, LoginRejectedError) as sentences:
        refused(instance_at(host.host, host.port, sslmode=sslmode))
    assert "verified TLS only: set sslmode to verify-full" in sentences[0]
    assert heard
    assert SECRET.encode() not in b"".join(heard)


@pytest.mark.parametrize("plugin", CLEAR)
@pytest.mark.parametrize(("sslmode", "is_told"), [(None, False), ("require", False), ("verify-ca", True), ("verify-full", True)])
def test_only_a_server_with_a_verified_certificate_gets_the_password(
    tmp_path: Path, plugin: bytes, sslmode: str | None, is_told: bool
) -> None:
    certificates, heard = make_certificates(tmp_path, address="127.0.0.1"), list[bytes]()
    authority = str(certificates.authority) if is_told else None
    with Listener(asking_for(plugin, heard, certificates)) as host, pytest.raises(TargetError):
        refused(instance_at(host.host, host.port, sslmode=sslmode, sslrootcert=authority), deadlines=PATIENT)
    assert heard
    assert (SECRET.encode() in b"".join(heard)) is is_told


def answering_by_itself(target: Target, statement: bytes) -> Callable[[socket.socket], None]:
    """A proxy that answers such a statement itself instead of passing it on, as a proxy with rules does."""

    def pump(source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                to.sendall(piece)
            to.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        with socket.create_connection((target.host, target.port)) as server:
            answers = threading.Thread(target=pump, args=(server, client))
            answers.start()
            while piece := client.recv(65536):
                if b"\n" + statement in piece:
                    client.sendall(packet(1, b"\0\0\0\2\0\0\0"))
                else:
                    server.sendall(piece)
            server.shutdown(socket.SHUT_WR)
            answers.join()

    return serve


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [(b"set session transaction read only", "is not read-only"), (b"set session sql_mode", "is not limited"), (b"nothing", "")],
)
def test_a_proxy_that_does_not_pass_on_the_limits_is_not_queried(target: Target, statement: bytes, sentence: str) -> None:
    login = target.create_login()
    with Listener(answering_by_itself(target, statement)) as proxy:
        instance = instance_at(proxy.host, proxy.port, sslmode="disable")
        if sentence:
            with failure(Reason.SERVER_ERROR, SizesError, login.password) as sentences:
                refused(instance, login, PATIENT)
            assert sentence in sentences[0]
            assert sentences[0].endswith("This is the address of a proxy; register the server itself.")
        else:
            with ServerFleet(PATIENT).connect(SIZES, instance, login) as probe:
                assert probe.list_databases()


def test_what_a_schema_calls_like_ours_is_not_used(target: Target) -> None:
    schema = target.create_schema()
    target.fill(schema, "plain", 100)
    target.fill(schema, "other", 100, "engine=MyISAM")
    before = total_bytes(target, schema)
    for name in ("concat", "coalesce", "least", "instr", "substring_index", "nullif", "quote", "version", "current_user"):
        with suppress(Exception):  # some names cannot be created at all
            target.ask(f"create function {schema}.{name}() returns int deterministic no sql return 666")
    names = ["tables", "schemata", "files", "opened", "innodb_tablespaces", "innodb_sys_tablespaces"]
    target.ask(*(f"create view {schema}.{name} as select 666 as name" for name in (*names, "whalefall_absent")))
    try:
        login = target.create_login("PROCESS")
        target.ask(f"grant show view, select, execute on {schema}.* to {target.account(login)}")
        with probing(target, login) as probe:
            (first, second) = probe.measure([schema, schema])
        assert first == second
        assert total_bytes(target, schema, login) == before
    finally:
        target.drop_created()


@pytest.mark.parametrize("path", sorted(PROBES.glob("*.sql")), ids=lambda path: path.stem)
def test_every_queried_table_is_qualified_with_its_schema(path: Path) -> None:
    text = (
        path.read_text(encoding="utf-8").replace("%%", "%").replace("%(database_name)s", "'x'").replace("%(statement_milliseconds)s", "1")
    )
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    if bare.startswith(("show ", "set ")):
        return
    statement = sqlglot.parse_one(bare.replace("using filename", "using utf8mb4"), read="mysql")
    known = {cte.alias for cte in statement.find_all(expressions.CTE)}
    unqualified = {table.name for table in statement.find_all(expressions.Table) if not table.db}
    assert unqualified <= known


PROBE = """
import os
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
instance = Instance(1, "target", Engine.MYSQL, "127.0.0.1", int(os.environ["PORT"]), "monitor", sslmode="disable")
with ServerFleet().connect(SIZES, instance, Login(os.environ["NAME"], os.environ["WORD"])) as probe:
    rows = probe._session.connection.query("select current_user(), @@session.wait_timeout, @@character_set_client, database()")
    print(probe._session.connection._result.rows[0])
    print(sorted(probe.list_databases())[0])
"""


def test_option_files_and_variables_for_other_clients_change_nothing(target: Target, tmp_path: Path) -> None:
    options = (
        "[client]\nhost=192.0.2.1\nport=1\nuser=somebody\npassword=wrong\nssl-mode=VERIFY_IDENTITY\nssl-ca=/nowhere\n"
        "default-character-set=latin1\ninit-command=set wait_timeout=7\ndatabase=mysql\n[mysql]\nuser=somebody\n"
    )
    for name in (".my.cnf", ".mylogin.cnf", "my.cnf"):
        (tmp_path / name).write_text(options)
    login = target.create_login()
    with probing(target, login):
        pass
    hostile = {
        "HOME": str(tmp_path),
        "MYSQL_HOME": str(tmp_path),
        "MYSQL_HOST": "192.0.2.1",
        "MYSQL_TCP_PORT": "1",
        "MYSQL_UNIX_PORT": "/nowhere",
        "MYSQL_PWD": "wrong",
        "MYSQL_TEST_LOGIN_FILE": str(tmp_path / ".mylogin.cnf"),
        "MYSQL_GROUP_SUFFIX": "_x",
        "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN": "1",
        "USER": "somebody",
        "LOGNAME": "somebody",
    }
    environment = {"PATH": os.environ["PATH"], "PORT": str(target.port), "NAME": login.username, "WORD": str(login.password)}
    answers = [
        subprocess.run([sys.executable, "-c", PROBE], env=variables, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for variables in (environment, environment | hostile)
    ]
    assert answers[0] == answers[1]
    assert "utf8mb4" in answers[0]
