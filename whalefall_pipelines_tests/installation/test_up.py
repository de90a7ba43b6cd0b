"""`whalefall up` as a whole: ready when it says so, and without remains however it ends.

These tests start real Dagster processes, which takes seconds, so every test checks as much as possible in one start.
"""

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from whalefall_pipelines.runtime.embedded import cluster, open_database
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.cli.trees import REPOSITORY, WHALEFALL, Home, command_line, eventually, launch_collection, running
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.servers.dead_host import silent_host

pytestmark = pytest.mark.process


def gone(home: Home, seconds: float = 20) -> bool:
    return eventually(lambda: not home.processes(), seconds=seconds)


def listening(process: psutil.Process) -> list[str]:
    """The addresses on which a process listens; none if it has ended meanwhile, as the workers of short runs do."""
    try:
        return [connection.laddr.ip for connection in process.net_connections("tcp") if connection.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        return []


def test_kill_9_of_the_launcher_leaves_nothing_not_even_a_working_run(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home({"WHALEFALL_CONNECT_TIMEOUT_SECONDS": "300", "WHALEFALL_INSTANCE_TIMEOUT_SECONDS": "600"})
    configured = load_settings(home.environment)
    with silent_host() as silent, running(home, free_port()) as up:
        assert {address for process in home.processes() for address in listening(process)} == {"127.0.0.1"}

        second = home.run("up", "--port", str(free_port()))
        assert second.returncode == 2
        assert f"is already running in {home.folder}: http://127.0.0.1:{up.port}" in second.stderr

        database = open_database(configured)
        register(database, "silent", host=silent.host, port=silent.port)
        launch_collection(up, configured)
        assert eventually(lambda: query(database, "select 1 from sync_instance_records where status = 'running'"), seconds=40)
        database.close()
        assert [process for process in home.processes() if "--multiprocessing-fork" in command_line(process)], "no run to look at"
        up.process.kill()
        assert gone(home), home.processes()
    home.succeed("store", "start")
    database = open_database(configured)
    assert query(database, "select status from sync_sessions where sync_category = 'capacity'") == [("cancelled",)]
    database.close()
    home.succeed("store", "stop")


def test_started_by_a_script_it_uses_the_store_that_runs_and_leaves_it(prepared_home: Callable[..., Home], tmp_path: Path) -> None:
    home = prepared_home()
    home.succeed("store", "start")
    store = {process.pid for process in home.processes()}
    log = tmp_path / "log"
    log.touch()
    script = f'"$@" up --port {free_port()} > "{log}" 2>&1 & echo $!; wait'  # `&` in a script ignores SIGINT
    with subprocess.Popen(
        ["sh", "-c", script, "sh", *WHALEFALL], env=home.environment, stdout=subprocess.PIPE, text=True, cwd="/"
    ) as shell:
        assert shell.stdout
        launcher = int(shell.stdout.readline())
        try:
            assert eventually(lambda: "whalefall is up" in log.read_text(), seconds=60), log.read_text()
            os.kill(launcher, signal.SIGINT)
            assert eventually(lambda: not psutil.pid_exists(launcher)), log.read_text()
        finally:
            if psutil.pid_exists(launcher):
                os.kill(launcher, signal.SIGKILL)
    assert eventually(lambda: {process.pid for process in home.processes()} & store == {process.pid for process in home.processes()})
    assert cluster(load_settings(home.environment)).process_id() in store
    assert log.read_text().endswith("whalefall: stopped.\n")


def test_when_a_part_dies_the_others_end_and_it_is_named_and_an_external_store_stays(prepared_home: Callable[..., Home]) -> None:
    other = prepared_home()
    other.succeed("store", "start")
    own_store = {process.pid for process in other.processes()}
    server = cluster(load_settings(other.environment))
    password = server.pgpass.read_text().strip().rpartition(":")[2]
    url = f"postgres://whalefall:{password}@127.0.0.1:{server.port}"
    home = prepared_home({"WHALEFALL_DATABASE_URL": f"{url}/whalefall"})
    with running(home, free_port()) as up:
        alive = home.run("doctor", "--quiet", "--no-instances")
        assert "heartbeat" not in alive.stdout
        up.part("dagster._daemon").kill()
        assert up.process.wait(20) == 2
        last = up.output().splitlines()[-1]
        assert last.startswith("whalefall: The daemon ended unexpectedly, so the rest was stopped; its last output was: ")
        assert last.endswith(f"(see {home.folder / 'logs' / 'daemon.log'})")
        assert gone(home, seconds=1)
    assert server.process_id() in own_store
    # What has died sends no alert. Ten minutes later, the doctor of cron reports it.
    with closing(Database(parse_url(f"{url}/dagster"), ZoneInfo("UTC"))) as dagster:
        earlier = "jsonb_set(body::jsonb, '{timestamp}', to_jsonb((body::jsonb ->> 'timestamp')::float - 600))::text"
        query(dagster, f"update daemon_heartbeats set body = {earlier} returning 1")
    dead = home.run("doctor", "--quiet", "--no-instances")
    assert dead.returncode == 1
    assert "the last heartbeat of Dagster's daemon was at" in dead.stdout


def test_a_terminal_that_is_closed_while_it_starts_ends_what_was_started(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home()
    launcher, terminal = pty.fork()
    if launcher == 0:
        os.chdir(REPOSITORY)
        os.execve(sys.executable, [*WHALEFALL, "up", "--port", str(free_port())], home.environment)  # noqa: S606
    assert eventually((home.folder / "logs" / "code_server.log").exists)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(launcher, 0)[1]) == 0
    assert gone(home, seconds=1)


def test_definitions_that_cannot_be_loaded_are_said_with_the_reason(prepared_home: Callable[..., Home], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif 'dagster' in sys.orig_argv:\n    sys.modules['whalefall_pipelines.capacity.assets'] = None\n", encoding="utf-8"
    )
    home = prepared_home({"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])})
    result = home.run("up", "--port", str(free_port()))
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last.startswith("whalefall: whalefall did not start: code server: the definitions cannot be loaded: ")
    assert "whalefall_pipelines.capacity.assets" in last
    assert "code_server.log" in last
    assert gone(home, seconds=1)


def test_a_taken_port_is_one_sentence_before_anything_is_started(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = home.run("up", "--port", str(port))
    assert result.returncode == 2
    assert result.stderr.startswith(f"whalefall: Port {port} of 127.0.0.1 is used by another program")
    assert len(result.stderr.splitlines()) == 1
    assert not (home.folder / "store").exists()
    assert home.processes() == []
