"""The launcher of private MariaDB servers, on the machine's own binaries."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pymysql
import pytest

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.local_servers.mariadb import MariadbServer
from whalefall_pipelines.local_servers.mariadb_binaries import find
from whalefall_pipelines_tests.servers.mariadb import needed_binaries

pytestmark = pytest.mark.process

REPOSITORY = Path(__file__).parents[2]
AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
# Runs in another process: starts the server in the folder that it is told and says its process id.
START = """
import sys, time
from pathlib import Path
from whalefall_pipelines.local_servers.mariadb import MariadbServer
from whalefall_pipelines.local_servers.mariadb_binaries import find
server = MariadbServer(find(), Path(sys.argv[1]))
print(server.start(with_parent="stay" in sys.argv), flush=True)
if "stay" in sys.argv:
    time.sleep(60)
"""


def server_in(folder: Path) -> MariadbServer:
    return MariadbServer(needed_binaries(), folder)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server that was made and stopped, to be copied."""
    server = server_in(tmp_path_factory.mktemp("made") / "server")
    server.start(with_parent=True)
    server.stop()
    return server.folder


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> MariadbServer:
    """A stopped server of this test's own."""
    shutil.copytree(made_once, tmp_path / "server", ignore=shutil.ignore_patterns("socket"))
    (tmp_path / "server" / "port").unlink()
    return server_in(tmp_path / "server")


@contextmanager
def running(server: MariadbServer) -> Generator[MariadbServer]:
    server.start(with_parent=True)
    try:
        yield server
    finally:
        server.stop()


def start_elsewhere(folder: Path, *words: str, python: str = sys.executable, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, python, "-c", START, str(folder), *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *packages(python)])},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def packages(python: str) -> list[str]:
    return [] if python == sys.executable else [path for path in sys.path if path.endswith("site-packages")]


def gone(process_id: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(process_id) and psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_it_keeps_its_data_and_its_port_over_a_restart(tmp_path: Path) -> None:
    server = server_in(tmp_path / "server")
    with running(server):
        server.administer("create database kept", "create table kept.kept as select 42 as value")
        port = server.port
    assert server.process_id() is None
    with running(server):
        assert server.administer("select value from kept.kept") == [(42,)]
        version = str(server.administer("select version()")[0][0])
        assert version.startswith(server.binaries.version)
        assert server.port == port < 32768
    assert server.stop() is False


def test_what_was_never_started_has_no_port_and_nothing_to_stop(tmp_path: Path) -> None:
    server = server_in(tmp_path / "server")
    assert server.stop() is False
    assert not server.folder.exists()
    with pytest.raises(LocalServerError, match="was never started"):
        _ = server.port
    with pytest.raises(LocalServerError, match=r"is not running: No such file or directory\."):
        server.administer("select 1")


def test_it_listens_on_loopback_only_and_lets_root_in_by_the_socket_alone(made: MariadbServer) -> None:
    with running(made) as server:
        process = psutil.Process(server.process_id())
        assert {one.laddr for one in process.net_connections("inet")} == {("127.0.0.1", server.port)}
        with pytest.raises(pymysql.OperationalError, match=r"1130|1045"):
            pymysql.connect(host="127.0.0.1", port=server.port, user="root")
        assert server.administer("select user, host from mysql.user where user not like 'mariadb.%'") == [("root", "localhost")]
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700


def test_statements_take_parameters_and_failures_do_not_repeat_them(made: MariadbServer) -> None:
    with running(made) as server:
        parameters = {"name": "mon'itor", "password": "pä'ss%数据"}
        server.administer("create user %(name)s@'127.0.0.1' identified by %(password)s", parameters=parameters)
        with pytest.raises(LocalServerError, match="its error 1396") as caught:
            server.administer("create user %(name)s@'127.0.0.1' identified by %(password)s", parameters=parameters)
        assert "数据" not in str(caught.value)
        login = pymysql.connect(host="127.0.0.1", port=server.port, user="mon'itor", password="pä'ss%数据".encode())
        login.close()


def test_an_acknowledged_row_survives_kill_9(made: MariadbServer) -> None:
    with running(made) as server:
        server.administer("create database kept", "create table kept.kept (value int)", "insert into kept.kept values (7)")
        for _ in range(3):
            process_id, port = server.process_id(), server.port
            assert process_id
            os.kill(process_id, signal.SIGKILL)
            assert server.start(with_parent=True) != process_id
            assert server.port == port
            assert server.administer("select value from kept.kept") == [(7,)]
        assert server.start() == server.process_id()


def test_two_programs_that_start_it_at_once_get_one_server(tmp_path: Path) -> None:
    needed_binaries()
    starts = [start_elsewhere(tmp_path / "server") for _ in range(2)]
    answers = [start.communicate(timeout=60) for start in starts]
    try:
        assert [start.returncode for start in starts] == [0, 0], answers
        assert answers[0][0] == answers[1][0]
    finally:
        assert server_in(tmp_path / "server").stop()


@pytest.mark.parametrize("stale", ["another program's", "nobody's", "no number"])
def test_a_stale_pid_file_does_not_keep_it_from_starting(stale: str, made: MariadbServer) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        left = {"another program's": str(other.pid), "nobody's": "4194300", "no number": "garbage"}[stale]
        (made.folder / "pid").write_text(left)
        try:
            assert made.process_id() is None
            with running(made) as server:
                assert server.administer("select 1") == [(1,)]
            assert other.poll() is None
        finally:
            other.kill()


def test_it_moves_when_another_program_took_its_port(made: MariadbServer) -> None:
    with running(made) as server:
        old = server.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", old))
        other.listen()
        with running(made) as server:
            assert server.port != old
            assert server.administer("select 1") == [(1,)]


def test_an_interrupted_bootstrap_is_made_anew(tmp_path: Path) -> None:
    needed_binaries()
    folder = tmp_path / "server"
    start = start_elsewhere(folder)
    deadline = time.monotonic() + 20
    while not (folder / "data.partial" / "mysql").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    start.kill()
    start.communicate()
    assert (folder / "data.partial").exists()
    assert not (folder / "data").exists()
    with running(server_in(folder)) as server:
        assert server.administer("select count(*) > 20 from information_schema.tables where table_schema = 'mysql'") == [(1,)]
    assert not (folder / "data.partial").exists()


def test_a_long_path_with_spaces_quotes_and_other_letters_works(tmp_path: Path) -> None:
    folder = tmp_path / 'a b\'s "ömé" 100%' / ("数据" * 20) / ("x" * 60)
    with running(server_in(folder)) as server:
        assert server.administer("select 1") == [(1,)]


def test_the_same_folder_by_another_name_is_the_same_server(made: MariadbServer, tmp_path: Path) -> None:
    with running(made) as server:
        (tmp_path / "link").symlink_to(made.folder)
        assert server_in(tmp_path / "link").start() == server.process_id()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalServerError, match=r"^Cannot write .*file.*: Not a directory\. Choose another folder with WHALEFALL_HOME\.$"):
        server_in(tmp_path / "file" / "server").start()


def test_what_the_server_says_when_it_does_not_start_is_in_the_error(made: MariadbServer, tmp_path: Path) -> None:
    with pytest.raises(LocalServerError, match=r"did not start: .*no-such-option.*mariadb\.log"):
        replace(made, options=("--no-such-option",)).start(with_parent=True)
    assert made.process_id() is None
    with pytest.raises(LocalServerError, match=r"could not be made: .*no-such-option.*mariadb\.log"):
        replace(made, folder=tmp_path / "other", options=("--no-such-option",)).start(with_parent=True)
    with running(made) as server:
        assert server.administer("select 1") == [(1,)]


def test_it_runs_on_in_the_background_and_is_stopped_by_another_program(made: MariadbServer) -> None:
    starter = start_elsewhere(made.folder)
    said, errors = starter.communicate(timeout=60)  # returns only because the server inherited none of the pipes
    assert starter.returncode == 0, errors
    process = psutil.Process(int(said))
    assert process.is_running()
    assert os.getsid(process.pid) == process.pid
    assert made.administer("select 1") == [(1,)]
    assert made.stop()
    assert gone(process.pid)


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that every user may enter and write: pytest's own are private to their user."""
    folder = Path("/tmp") / f"whalefall-{tmp_path.parent.name}-{tmp_path.name}-{os.getpid()}"  # noqa: S108
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_it_ends_in_order_with_its_parent(made: MariadbServer) -> None:
    with start_elsewhere(made.folder, "stay") as holder:
        assert holder.stdout
        process_id = int(holder.stdout.readline())
        holder.kill()
    assert gone(process_id), "the server outlived the process that it was to end with"
    assert "Shutdown complete" in made.log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a choice of users")
def test_it_runs_as_a_plain_user(open_folder: Path) -> None:
    needed_binaries()
    check = "import psutil, pymysql, whalefall_pipelines.processes"
    for python in (sys.executable, "/usr/bin/python3"):
        environment = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *packages(python)])}
        command = [*AS_NOBODY, python, "-c", check]
        if subprocess.run(command, env=environment, capture_output=True, check=False, cwd="/", timeout=20).returncode == 0:
            break
    else:
        pytest.skip("no Python here that an unprivileged user may run")
    with start_elsewhere(open_folder / "server", "stay", python=python, before=AS_NOBODY) as holder:
        assert holder.stdout
        assert holder.stderr
        said = holder.stdout.readline()
        try:
            assert said, holder.stderr.read()
            assert psutil.Process(int(said)).uids().real == 65534
            assert server_in(open_folder / "server").administer("select 1") == [(1,)]
        finally:
            holder.kill()
    assert gone(int(said))


def test_what_is_found_is_a_server_that_runs() -> None:
    binaries = needed_binaries()
    assert find() == binaries
    assert binaries.server.is_file()
    assert [path.suffix for path in binaries.system_tables()] == [".sql"] * 3
    assert all(part.isdigit() for part in binaries.version.split("."))
