"""Runs that are killed, terminated or executed again, and a session that is cancelled, with the real daemon.

How a day recovers is in `faults/`.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.trees import Home, Up, eventually, launch_collection, running
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.servers.dead_host import silent_host

pytestmark = pytest.mark.process
PATIENT = {"WHALEFALL_CONNECT_TIMEOUT_SECONDS": "300", "WHALEFALL_INSTANCE_TIMEOUT_SECONDS": "600"}
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
AGAIN = """mutation($id: String!) { launchRunReexecution(reexecutionParams: {parentRunId: $id, strategy: ALL_STEPS}) {
    __typename ... on LaunchRunSuccess { run { id } } } }"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def run_process(home: Home, port: int) -> psutil.Process | None:
    """The process of the run that waits for this port. Maintenance may run beside it."""
    return next((process for process in home.processes() if port in {connection.raddr.port for connection in connected(process)}), None)


def connected(process: psutil.Process) -> list[Any]:
    """Its connections; none when it ended after it was listed."""
    with contextlib.suppress(psutil.Error):
        return [connection for connection in process.net_connections("tcp") if connection.raddr]
    return []


def launch_and_wait(up: Up, database: Database, configured: Settings) -> str:
    """Launch a collection and return its run once it waits for the silent server."""
    return wait_for(database, launch_collection(up, configured))


def wait_for(database: Database, run_id: str) -> str:
    waits = "select 1 from sync_instance_records join sync_sessions as s using (session_id) where run_id = %s and s.status = 'running'"
    assert eventually(lambda: query(database, waits + " and attempts > 0", run_id), seconds=60)
    return run_id


def test_a_killed_or_terminated_run_ends_its_session_and_a_cancelled_session_ends_its_run(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home(PATIENT)
    configured = load_settings(home.environment)
    with silent_host() as silent, running(home, free_port()) as up:
        database = open_database(configured)
        register(database, "orders", host=silent.host, port=silent.port)

        killed = launch_and_wait(up, database, configured)
        process = run_process(home, silent.port)
        assert process
        process.kill()
        begun = time.monotonic()
        closed = "select status from sync_sessions where run_id = %s and status <> 'running'"
        assert eventually(lambda: query(database, closed, killed), seconds=300), up.output()
        assert query(database, closed, killed) == [("failed",)]
        assert time.monotonic() - begun < 120
        (record,) = query(database, "select status, error_code from sync_instance_records")
        assert record == ("failed", "RUN_DIED")

        cancelled = launch_and_wait(up, database, configured)
        ((session_id,),) = query(database, "select session_id from sync_sessions where run_id = %s", cancelled)
        begun = time.monotonic()
        assert "is cancelled: 1 of 1 instance was finished or running." in home.succeed("sessions", "cancel", str(session_id)[:8])
        assert eventually(lambda: up.ask(STATUS, {"id": cancelled})["runOrError"]["status"] == "CANCELED", seconds=30)
        assert time.monotonic() - begun < 20
        again = home.run("sessions", "cancel", str(session_id))
        assert again.returncode == 2
        assert f"Session {session_id} is already cancelled" in again.stderr
        assert query(database, "select status from sync_sessions where session_id = %s", session_id) == [("cancelled",)]

        reply = up.ask(AGAIN, {"id": cancelled})["launchRunReexecution"]
        assert reply["__typename"] == "LaunchRunSuccess", reply
        terminated = wait_for(database, reply["run"]["id"])
        assert up.ask(TERMINATE, {"id": terminated})["terminateRun"]["__typename"] == "TerminateRunSuccess"
        assert eventually(lambda: query(database, closed, terminated) == [("cancelled",)], seconds=20)
        database.close()
