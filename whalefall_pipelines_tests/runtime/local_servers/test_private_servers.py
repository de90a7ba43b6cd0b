"""What holds for every private server, PostgreSQL and MariaDB. The rest is in `test_postgresql.py` and `test_mariadb.py`."""

import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.runtime.local_servers.kinds import MARIADB, POSTGRESQL, Kind, start_elsewhere
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


@pytest.fixture(params=[POSTGRESQL, MARIADB], ids=["postgresql", "mariadb"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def made(kind: Kind, request: pytest.FixtureRequest) -> PostgresCluster | MariadbServer:
    """A stopped server for this test."""
    return request.getfixturevalue("made_cluster" if kind is POSTGRESQL else "made_mariadb")


def test_two_programs_that_start_it_at_once_get_one_server(kind: Kind, tmp_path: Path) -> None:
    starts = [start_elsewhere(kind, tmp_path / "server") for _ in range(2)]
    answers = [start.communicate(timeout=60) for start in starts]
    try:
        assert [start.returncode for start in starts] == [0, 0], answers
        assert answers[0][0] == answers[1][0]
    finally:
        assert kind.server_in(tmp_path / "server").stop()


@pytest.mark.parametrize("stale", ["another program's", "nobody's", "no number"])
def test_a_stale_pid_file_does_not_keep_it_from_starting(stale: str, kind: Kind, made: PostgresCluster | MariadbServer) -> None:
    pid_file = made.folder / kind.pid_file
    with running(made):
        left = pid_file.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as other:
        left[0] = {"another program's": str(other.pid), "nobody's": "4194300", "no number": "garbage"}[stale]
        pid_file.write_text("\n".join(left))
        try:
            assert made.process_id() is None
            with running(made):
                assert kind.answers(made)
            assert other.poll() is None
        finally:
            other.kill()


def test_it_moves_when_another_program_took_its_port(kind: Kind, made: PostgresCluster | MariadbServer) -> None:
    with running(made):
        old = made.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", old))
        other.listen()
        with running(made):
            assert made.port != old
            assert kind.answers(made)


def test_one_that_was_interrupted_while_it_was_made_is_made_anew(kind: Kind, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    start = start_elsewhere(kind, folder)
    deadline = time.monotonic() + 20
    while not (folder / kind.first_made).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    start.kill()
    start.communicate()
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or ()):
            process.kill()
            process.wait(5)
    assert (folder / "data.partial").exists()
    assert not (folder / "data").exists()
    with running(kind.server_in(folder)) as server:
        assert kind.answers(server)
    assert not (folder / "data.partial").exists()


def test_a_long_path_with_spaces_quotes_and_other_letters_works(kind: Kind, tmp_path: Path) -> None:
    folder = tmp_path / 'a b\'s "ömé" 100%' / ("数据" * 20) / ("x" * 60)
    with running(kind.server_in(folder)) as server:
        assert kind.answers(server)


def test_the_same_folder_by_another_name_is_the_same_server(kind: Kind, made: PostgresCluster | MariadbServer, tmp_path: Path) -> None:
    with running(made):
        (tmp_path / "link").symlink_to(made.folder)
        assert kind.server_in(tmp_path / "link").start() == made.process_id()


def test_a_folder_that_cannot_be_made_is_one_sentence(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalServerError, match=r"^Cannot write .*file.*: Not a directory\. Choose another folder with WHALEFALL_HOME\.$"):
        kind.server_in(tmp_path / "file" / "server").start()
