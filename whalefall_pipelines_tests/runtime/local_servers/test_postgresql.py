"""The launcher of private PostgreSQL servers, on real binaries: 18 (the store's), and where versions differ 17 and Debian's."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg2
import pytest

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.runtime.local_servers.kinds import (
    AS_NOBODY,
    POSTGRESQL,
    ask,
    cluster_in,
    gone,
    python_for_everybody,
    start_elsewhere,
    started,
)
from whalefall_pipelines_tests.servers.postgresql import binaries_of
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


@pytest.mark.parametrize("major", [15, 17, 18])
def test_a_server_of_every_kind_of_binaries_keeps_its_data_and_its_port_over_a_restart(major: int, tmp_path: Path) -> None:
    cluster = cluster_in(tmp_path / "pg", binaries_of(major).bin_dir)
    with running(cluster):
        ask(cluster, "create table kept as select 42 as value")
        port = cluster.port
    assert cluster.process_id() is None
    with running(cluster):
        assert ask(cluster, "select value from kept") == 42
        assert str(ask(cluster, "show server_version")).startswith(str(major))
        assert cluster.port == port
    assert cluster.stop() is False


def test_one_that_is_just_stopping_is_started_anew(made_cluster: PostgresCluster) -> None:
    """As when `whalefall up` is killed and immediately started again."""
    with running(made_cluster) as cluster:
        before = cluster.process_id()
        assert before
        ask(cluster, "create table kept as select 42 as value")
        os.kill(before, signal.SIGINT)
        with suppress(FileNotFoundError):
            while "ready" in cluster.data.joinpath("postmaster.pid").read_text():
                time.sleep(0.0005)
        assert cluster.start(with_parent=True) != before
        assert ask(cluster, "select value from kept") == 42


def test_a_killed_server_starts_again_while_a_child_of_it_ends_slowly(made_cluster: PostgresCluster) -> None:
    with running(made_cluster) as cluster:
        postmaster = psutil.Process(cluster.process_id())
        child = next(process for process in postmaster.children() if "checkpointer" in " ".join(process.cmdline()))
        child.suspend()
        postmaster.kill()
        timer = threading.Timer(1, child.kill)
        timer.start()
        try:
            cluster.start(with_parent=True)
            assert "pre-existing shared memory block" in cluster.log.read_text()
            assert ask(cluster, "select 1") == 1
        finally:
            timer.join()


@pytest.mark.parametrize("major", [15, 17, 18])
def test_it_listens_on_loopback_only_and_wants_the_password(major: int, tmp_path: Path) -> None:
    with running(cluster_in(tmp_path / "pg", binaries_of(major).bin_dir)) as cluster:
        postmaster = psutil.Process(cluster.process_id())
        listening = {connection.laddr for connection in postmaster.net_connections("inet") if connection.status == psutil.CONN_LISTEN}
        assert listening == {("127.0.0.1", cluster.port)}
        assert not [connection for connection in postmaster.net_connections("unix") if connection.laddr]
        assert ask(cluster, "select 1") == 1
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            ask(cluster, "select 1", password="wrong")
        with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
            ask(cluster, "select 1", passfile="/dev/null")
        assert cluster.pgpass.stat().st_mode & 0o077 == 0
        assert cluster.pgpass.read_text().split(":")[-1].strip() not in cluster.url()


def test_an_acknowledged_row_survives_kill_9(made_cluster: PostgresCluster) -> None:
    with running(made_cluster) as cluster:
        ask(cluster, "create table kept (value integer)")
        ask(cluster, "insert into kept values (7)")
        process_id = cluster.process_id()
        assert process_id
        os.kill(process_id, signal.SIGKILL)
        assert gone(process_id)
        assert cluster.process_id() is None
        cluster.start(with_parent=True)
        assert ask(cluster, "select value from kept") == 7


def test_a_second_server_never_starts_on_data_that_an_old_backend_still_uses(made_cluster: PostgresCluster) -> None:
    with running(made_cluster) as cluster, closing(psycopg2.connect(cluster.url())) as connection:
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


def test_the_servers_message_when_it_does_not_start_is_in_the_error(made_cluster: PostgresCluster) -> None:
    cluster = replace(made_cluster, options=("shared_buffers=no size",))
    with pytest.raises(LocalServerError, match=r"did not start: .*shared_buffers.*postgresql\.log"):
        cluster.start(with_parent=True)
    assert cluster.process_id() is None


def test_it_is_stopped_by_another_program_than_the_one_that_started_it(made_cluster: PostgresCluster) -> None:
    with start_elsewhere(POSTGRESQL, made_cluster.folder, "stay") as holder:
        process_id, _ = started(holder)
        begun = time.monotonic()
        assert made_cluster.stop()
        # The holder is still alive and has not reaped it.
        assert time.monotonic() - begun < 10
        assert gone(process_id)
        holder.kill()


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
            environment["PATH"] = "/nonexistent"  # no `unshare`, as in a container without it
        else:
            before = AS_NOBODY
            interpreter = python_for_everybody()
            if interpreter is None:
                pytest.skip("no Python here that an unprivileged user may run")
            python = interpreter
    with start_elsewhere(POSTGRESQL, open_folder / "pg", "stay", python=python, before=before, **environment) as holder:
        try:
            process_id, uid = started(holder)
            assert uid == expected_uid
            assert ask(cluster_in(open_folder / "pg"), "select 1") == 1
            assert (open_folder / "pg" / "data").stat().st_uid == expected_uid
        finally:
            holder.kill()
    assert gone(process_id), "the server outlived the process that it was to end with"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a user's files")
def test_root_runs_a_users_server_as_that_user_and_leaves_him_his_files(open_folder: Path) -> None:
    folder = open_folder / "pg"
    with start_elsewhere(POSTGRESQL, folder, PATH="/nonexistent") as first:
        first.communicate(timeout=60)
    cluster = cluster_in(folder)
    assert cluster.stop()
    with running(cluster):
        assert psutil.Process(cluster.process_id()).uids().real == 65534
    assert {path.stat().st_uid for path in (folder / "data").rglob("*")} == {65534}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes nobody")
def test_nobody_in_a_private_folder_gets_the_reason_why_it_cannot_work(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    with start_elsewhere(POSTGRESQL, tmp_path / "private" / "pg", PATH="/nonexistent") as start:
        _, errors = start.communicate(timeout=60)
    assert "must be able to read its binaries" in errors
    assert not (tmp_path / "private" / "pg" / "data").exists()
