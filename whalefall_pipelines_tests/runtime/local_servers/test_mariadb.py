"""The launcher of private MariaDB servers, on the machine's own binaries."""

import os
import signal
import stat
from dataclasses import replace
from pathlib import Path

import psutil
import pymysql
import pytest

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer
from whalefall_pipelines.runtime.local_servers.mariadb_binaries import find
from whalefall_pipelines_tests.runtime.local_servers.kinds import (
    AS_NOBODY,
    MARIADB,
    gone,
    mariadb_in,
    python_for_everybody,
    start_elsewhere,
    started,
)
from whalefall_pipelines_tests.servers.mariadb import needed_binaries
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


def test_it_keeps_its_data_and_its_port_over_a_restart(tmp_path: Path) -> None:
    server = mariadb_in(tmp_path / "server")
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
    server = mariadb_in(tmp_path / "server")
    assert server.stop() is False
    assert not server.folder.exists()
    with pytest.raises(LocalServerError, match="was never started"):
        _ = server.port
    with pytest.raises(LocalServerError, match=r"is not running: No such file or directory\."):
        server.administer("select 1")


def test_it_listens_on_loopback_only_and_lets_root_in_by_the_socket_alone(made_mariadb: MariadbServer) -> None:
    with running(made_mariadb) as server:
        process = psutil.Process(server.process_id())
        assert {connection.laddr for connection in process.net_connections("inet")} == {("127.0.0.1", server.port)}
        with pytest.raises(pymysql.OperationalError, match=r"1130|1045"):
            pymysql.connect(host="127.0.0.1", port=server.port, user="root")
        assert server.administer("select user, host from mysql.user where user not like 'mariadb.%'") == [("root", "localhost")]
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700


def test_statements_take_parameters_and_failures_do_not_repeat_them(made_mariadb: MariadbServer) -> None:
    with running(made_mariadb) as server:
        parameters = {"name": "mon'itor", "password": "pä'ss%数据"}
        server.administer("create user %(name)s@'127.0.0.1' identified by %(password)s", parameters=parameters)
        with pytest.raises(LocalServerError, match="its error 1396") as caught:
            server.administer("create user %(name)s@'127.0.0.1' identified by %(password)s", parameters=parameters)
        assert "数据" not in str(caught.value)
        login = pymysql.connect(host="127.0.0.1", port=server.port, user="mon'itor", password="pä'ss%数据".encode())
        login.close()


def test_an_acknowledged_row_survives_kill_9(made_mariadb: MariadbServer) -> None:
    with running(made_mariadb) as server:
        server.administer("create database kept", "create table kept.kept (value int)", "insert into kept.kept values (7)")
        for _ in range(3):
            process_id, port = server.process_id(), server.port
            assert process_id
            os.kill(process_id, signal.SIGKILL)
            assert server.start(with_parent=True) != process_id
            assert server.port == port
            assert server.administer("select value from kept.kept") == [(7,)]
        assert server.start() == server.process_id()


def test_the_servers_message_when_it_does_not_start_is_in_the_error(made_mariadb: MariadbServer, tmp_path: Path) -> None:
    with pytest.raises(LocalServerError, match=r"did not start: .*no-such-option.*mariadb\.log"):
        replace(made_mariadb, options=("--no-such-option",)).start(with_parent=True)
    assert made_mariadb.process_id() is None
    with pytest.raises(LocalServerError, match=r"could not be created: .*no-such-option.*mariadb\.log"):
        replace(made_mariadb, folder=tmp_path / "other", options=("--no-such-option",)).start(with_parent=True)
    with running(made_mariadb) as server:
        assert server.administer("select 1") == [(1,)]


def test_it_runs_on_in_the_background_and_is_stopped_by_another_program(made_mariadb: MariadbServer) -> None:
    starter = start_elsewhere(MARIADB, made_mariadb.folder)
    output, errors = starter.communicate(timeout=60)  # returns only because the server inherited none of the pipes
    assert starter.returncode == 0, errors
    process = psutil.Process(int(output.split()[0]))
    assert process.is_running()
    assert os.getsid(process.pid) == process.pid
    assert made_mariadb.administer("select 1") == [(1,)]
    assert made_mariadb.stop()
    assert gone(process.pid)


def test_it_ends_in_order_with_its_parent(made_mariadb: MariadbServer) -> None:
    with start_elsewhere(MARIADB, made_mariadb.folder, "stay") as holder:
        process_id, _ = started(holder)
        holder.kill()
    assert gone(process_id), "the server outlived the process that it was to end with"
    assert "Shutdown complete" in made_mariadb.log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a choice of users")
def test_it_runs_as_a_plain_user(open_folder: Path) -> None:
    python = python_for_everybody()
    if python is None:
        pytest.skip("no Python here that an unprivileged user may run")
    with start_elsewhere(MARIADB, open_folder / "server", "stay", python=python, before=AS_NOBODY) as holder:
        try:
            process_id, uid = started(holder)
            assert uid == 65534
            assert mariadb_in(open_folder / "server").administer("select 1") == [(1,)]
        finally:
            holder.kill()
    assert gone(process_id)


def test_the_binaries_that_are_found_run_a_server() -> None:
    binaries = needed_binaries()
    assert find() == binaries
    assert binaries.server.is_file()
    assert [path.suffix for path in binaries.system_tables()] == [".sql"] * 3
    assert all(part.isdigit() for part in binaries.version.split("."))
