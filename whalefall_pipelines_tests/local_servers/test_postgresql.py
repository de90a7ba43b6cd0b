"""The launcher of private PostgreSQL servers, on real binaries: 18 (the store's own), and where versions differ 17 and Debian's."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.local_servers.postgresql_binaries import available, for_store

pytestmark = pytest.mark.process

REPOSITORY = Path(__file__).parents[2]
AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
# Runs in another process: starts the cluster in the folder that it is told, as root's or a user's, and says whose it is.
START = """
import sys, time
from pathlib import Path
import psutil
from whalefall_pipelines.local_servers.postgresql import PostgresCluster
cluster = PostgresCluster(bin_dir=Path(sys.argv[1]), folder=Path(sys.argv[2]), initdb_options=("--wal-segsize=4", "-N"))
process_id = cluster.start(with_parent="stay" in sys.argv)
print(process_id, psutil.Process(process_id).uids().real, flush=True)
if "stay" in sys.argv:
    time.sleep(60)
"""
ONE_OF_EACH = {binaries.major: binaries.bin_dir for binaries in reversed(list(available()))}


def cluster_in(folder: Path, bin_dir: Path | None = None) -> PostgresCluster:
    return PostgresCluster(bin_dir=bin_dir or for_store().bin_dir, folder=folder, initdb_options=("--wal-segsize=4", "-N"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that was made and stopped, to be copied: initdb takes ten times as long as the copy."""
    cluster = cluster_in(tmp_path_factory.mktemp("made") / "pg")
    cluster.start(with_parent=True)
    cluster.stop()
    return cluster.folder


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> PostgresCluster:
    """A stopped cluster of this test's own."""
    shutil.copytree(made_once, tmp_path / "pg")
    (tmp_path / "pg" / "port").unlink()
    return cluster_in(tmp_path / "pg")


@contextmanager
def running(cluster: PostgresCluster) -> Generator[PostgresCluster]:
    cluster.start(with_parent=True)
    try:
        yield cluster
    finally:
        cluster.stop()


def ask(cluster: PostgresCluster, statement: str, **connection: str) -> object:
    with closing(psycopg2.connect(make_dsn(cluster.url(), **connection))) as opened:
        opened.autocommit = True
        with opened.cursor() as cursor:
            cursor.execute(statement)
            return (cursor.fetchone() or (None,))[0] if cursor.description else None


def start_elsewhere(folder: Path, *words: str, python: str = sys.executable, before: tuple[str, ...] = (), **environment: str):
    return subprocess.Popen(
        [*before, python, "-c", START, str(for_store().bin_dir), str(folder), *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *packages(python)])} | environment,
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


@pytest.mark.parametrize("major", [15, 17, 18])
def test_a_server_of_every_kind_of_binaries_keeps_its_data_and_its_port_over_a_restart(major: int, tmp_path: Path) -> None:
    if major not in ONE_OF_EACH:
        pytest.skip(f"no PostgreSQL {major} here")
    cluster = cluster_in(tmp_path / "pg", ONE_OF_EACH[major])
    with running(cluster):
        ask(cluster, "create table kept as select 42 as value")
        port = cluster.port
    assert cluster.process_id() is None
    with running(cluster):
        assert ask(cluster, "select value from kept") == 42
        assert str(ask(cluster, "show server_version")).startswith(str(major))
        assert cluster.port == port
    assert cluster.stop() is False


def test_one_that_is_just_stopping_is_started_anew(made: PostgresCluster) -> None:
    """As when `whalefall up` is killed, and started again at once."""
    with running(made) as cluster:
        before = cluster.process_id()
        assert before
        ask(cluster, "create table kept as select 42 as value")
        os.kill(before, signal.SIGINT)
        with suppress(FileNotFoundError):
            while "ready" in cluster.data.joinpath("postmaster.pid").read_text():
                time.sleep(0.0005)
        assert cluster.start(with_parent=True) != before
        assert ask(cluster, "select value from kept") == 42


@pytest.mark.parametrize("major", [15, 17, 18])
def test_it_listens_on_loopback_only_and_wants_the_password(major: int, tmp_path: Path) -> None:
    if major not in ONE_OF_EACH:
        pytest.skip(f"no PostgreSQL {major} here")
    with running(cluster_in(tmp_path / "pg", ONE_OF_EACH[major])) as cluster:
        postmaster = psutil.Process(cluster.process_id())
        listening = {one.laddr for one in postmaster.net_connections("inet") if one.status == psutil.CONN_LISTEN}
        assert listening == {("127.0.0.1", cluster.port)}
        assert not [one for one in postmaster.net_connections("unix") if one.laddr]
        assert ask(cluster, "select 1") == 1
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            ask(cluster, "select 1", password="wrong")
        with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
            ask(cluster, "select 1", passfile="/dev/null")
        assert cluster.pgpass.stat().st_mode & 0o077 == 0
        assert cluster.pgpass.read_text().split(":")[-1].strip() not in cluster.url()


def test_an_acknowledged_row_survives_kill_9(made: PostgresCluster) -> None:
    with running(made) as cluster:
        ask(cluster, "create table kept (value integer)")
        ask(cluster, "insert into kept values (7)")
        process_id = cluster.process_id()
        assert process_id
        os.kill(process_id, signal.SIGKILL)
        assert gone(process_id)
        assert cluster.process_id() is None
        cluster.start(with_parent=True)
        assert ask(cluster, "select value from kept") == 7


def test_a_second_server_never_starts_on_data_that_an_old_backend_still_uses(made: PostgresCluster) -> None:
    with running(made) as cluster, closing(psycopg2.connect(cluster.url())) as connection:
        backend, postmaster = connection.info.backend_pid, cluster.process_id()
        assert postmaster
        os.kill(backend, signal.SIGSTOP)
        os.kill(postmaster, signal.SIGKILL)
        assert gone(postmaster)
        with pytest.raises(LocalServerError, match="still in use"):
            cluster.start(with_parent=True)
        os.kill(backend, signal.SIGKILL)
        assert gone(backend)
        cluster.start(with_parent=True)
        assert ask(cluster, "select 1") == 1


def test_two_programs_that_start_it_at_once_get_one_server(tmp_path: Path) -> None:
    starts = [start_elsewhere(tmp_path / "pg") for _ in range(2)]
    answers = [start.communicate(timeout=60) for start in starts]
    try:
        assert [start.returncode for start in starts] == [0, 0], answers
        assert answers[0][0] == answers[1][0]
    finally:
        assert cluster_in(tmp_path / "pg").stop()


@pytest.mark.parametrize("stale", ["another program's", "nobody's", "no number"])
def test_a_stale_pid_file_does_not_keep_it_from_starting(stale: str, made: PostgresCluster) -> None:
    with running(made) as cluster:
        pid_file = cluster.data / "postmaster.pid"
        left = pid_file.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as other:
        left[0] = {"another program's": str(other.pid), "nobody's": "4194300", "no number": "garbage"}[stale]
        pid_file.write_text("\n".join(left))
        try:
            assert cluster.process_id() is None
            with running(cluster):
                assert ask(cluster, "select 1") == 1
            assert other.poll() is None
        finally:
            other.kill()


def test_it_moves_when_another_program_took_its_port(made: PostgresCluster) -> None:
    with running(made) as cluster:
        old = cluster.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", old))
        other.listen()
        with running(cluster):
            assert cluster.port != old
            assert ask(cluster, "select 1") == 1


def test_an_interrupted_initdb_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    start = start_elsewhere(folder)
    deadline = time.monotonic() + 20
    while not (folder / "data.partial" / "base").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    start.kill()
    start.communicate()
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or ()):
            process.kill()
            process.wait(5)
    assert (folder / "data.partial").exists()
    assert not (folder / "data").exists()
    with running(cluster_in(folder)) as cluster:
        assert ask(cluster, "select 1") == 1
    assert not (folder / "data.partial").exists()


def test_a_path_with_spaces_quotes_and_other_letters_works(tmp_path: Path) -> None:
    folder = tmp_path / 'a b\'s "ömé" 100%' / "数据"
    with running(cluster_in(folder)) as cluster:
        assert ask(cluster, "select 1") == 1


def test_the_same_folder_by_another_name_is_the_same_server(made: PostgresCluster, tmp_path: Path) -> None:
    with running(made) as cluster:
        (tmp_path / "link").symlink_to(made.folder)
        assert cluster_in(tmp_path / "link").start() == cluster.process_id()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalServerError, match=r"^Cannot write .*file.*: Not a directory\. Choose another folder with WHALEFALL_HOME\.$"):
        cluster_in(tmp_path / "file" / "pg").start()


def test_what_the_server_says_when_it_does_not_start_is_in_the_error(made: PostgresCluster) -> None:
    cluster = replace(made, options=("shared_buffers=no size",))
    with pytest.raises(LocalServerError, match=r"did not start: .*shared_buffers.*postgresql\.log"):
        cluster.start(with_parent=True)
    assert cluster.process_id() is None


def test_it_is_stopped_by_another_program_than_the_one_that_started_it(made: PostgresCluster) -> None:
    with start_elsewhere(made.folder, "stay") as holder:
        assert holder.stdout
        process_id = int(holder.stdout.readline().split()[0])
        begun = time.monotonic()
        assert made.stop()
        # The holder lives on and has not collected it.
        assert time.monotonic() - begun < 10
        assert gone(process_id)
        holder.kill()


def python_for_everybody() -> str | None:
    """An interpreter that an unprivileged user can run with our packages."""
    for python in (sys.executable, "/usr/bin/python3"):
        path = os.pathsep.join([str(REPOSITORY), *packages(python)])
        check = [*AS_NOBODY, python, "-c", "import psutil, whalefall_pipelines.processes"]
        try:
            if subprocess.run(check, env={"PYTHONPATH": path}, capture_output=True, check=False, cwd="/", timeout=20).returncode == 0:
                return python
        except OSError:
            continue
    return None


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that every user may enter and write: pytest's own are private to their user."""
    folder = Path("/tmp") / f"whalefall-{tmp_path.parent.name}-{tmp_path.name}-{os.getpid()}"  # noqa: S108
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a choice of users")
@pytest.mark.parametrize("way", ["namespace", "nobody", "plain user"])
def test_it_runs_as_root_in_every_way_and_as_a_user_and_ends_with_its_parent(way: str, open_folder: Path) -> None:
    before: tuple[str, ...] = ()
    python, environment = sys.executable, dict[str, str]()
    if way == "namespace":
        if subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("this kernel forbids user namespaces")
        expected_uid = 0  # inside it is nobody, outside it is still root
    else:
        expected_uid = 65534
        if way == "nobody":
            environment["PATH"] = "/nonexistent"  # no `unshare`, which is how a container without it looks
        else:
            before = AS_NOBODY
            found = python_for_everybody()
            if found is None:
                pytest.skip("no Python here that an unprivileged user may run")
            python = found
    with start_elsewhere(open_folder / "pg", "stay", python=python, before=before, **environment) as holder:
        assert holder.stdout
        assert holder.stderr
        said = holder.stdout.readline().split()
        try:
            assert said, holder.stderr.read()
            process_id, uid = map(int, said)
            assert uid == expected_uid
            assert ask(cluster_in(open_folder / "pg"), "select 1") == 1
            assert (open_folder / "pg" / "data").stat().st_uid == expected_uid
        finally:
            holder.kill()
    assert gone(process_id), "the server outlived the process that it was to end with"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a user's files")
def test_root_runs_a_users_server_as_that_user_and_leaves_him_his_files(open_folder: Path) -> None:
    folder = open_folder / "pg"
    with start_elsewhere(folder, PATH="/nonexistent") as first:
        first.communicate(timeout=60)
    cluster = cluster_in(folder)
    assert cluster.stop()
    with running(cluster):
        assert psutil.Process(cluster.process_id()).uids().real == 65534
    assert {path.stat().st_uid for path in (folder / "data").rglob("*")} == {65534}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes nobody")
def test_nobody_in_a_private_folder_is_told_why_it_cannot_work(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    with start_elsewhere(tmp_path / "private" / "pg", PATH="/nonexistent") as start:
        _, errors = start.communicate(timeout=60)
    assert "must be where that user may look" in errors
    assert not (tmp_path / "private" / "pg" / "data").exists()
