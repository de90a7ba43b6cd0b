"""Runs that wait in the queue of the real daemon: one is cancelled by the API, one in Dagster, and the API shows both as cancelled."""

from collections.abc import Callable
from contextlib import closing

import httpx
import pytest

from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import Home, eventually, running
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.servers.dead_host import silent_host
from whalefall_pipelines_tests.sessions.test_dead_runs import PATIENT, STATUS, TERMINATE

pytestmark = pytest.mark.process


def test_a_queued_run_that_is_cancelled_ends_its_session(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home(PATIENT)
    with silent_host() as silent, running(home, free_port()) as up, closing(open_database(load_settings(home.environment))) as database:
        register(database, "orders", host=silent.host, port=silent.port)
        headers = {"Authorization": f"Bearer {up.secret}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{up.port}/api/v1", headers=headers, timeout=60, trust_env=False) as http:

            def launch() -> tuple[str, str]:
                answer = http.post("/accounts/actions/sync")
                assert answer.status_code == 202, answer.text
                return answer.headers["Location"].removeprefix("/api/v1"), answer.json()["data"]["run_id"]

            def shows(session: str, status: str, *, seconds: float = 90) -> bool:
                return eventually(lambda: http.get(session).json()["data"]["status"] == status, seconds=seconds)

            def is_in_dagster(run_id: str, status: str) -> bool:
                return eventually(lambda: up.ask(STATUS, {"id": run_id})["runOrError"]["status"] == status, seconds=90)

            first, first_run = launch()
            assert shows(first, "running"), up.output()
            by_api, api_run = launch()
            in_dagster, dagster_run = launch()
            assert is_in_dagster(api_run, "QUEUED")
            assert is_in_dagster(dagster_run, "QUEUED")
            assert shows(by_api, "queued")
            assert shows(in_dagster, "queued")

            cancelled = http.post(f"{by_api}/actions/cancel")
            assert (cancelled.status_code, cancelled.json()["data"]["status"]) == (202, "cancelled")
            assert up.ask(TERMINATE, {"id": dagster_run})["terminateRun"]["__typename"] == "TerminateRunSuccess"
            assert shows(in_dagster, "cancelled"), up.output()
            assert http.post(f"{in_dagster}/actions/cancel").status_code == 409

            assert http.post(f"{first}/actions/cancel").status_code == 202
            assert is_in_dagster(first_run, "CANCELED")
            assert is_in_dagster(api_run, "CANCELED"), up.output()  # it left the queue and opened nothing
            listed = http.get("/sessions", params={"sync_category": "account"}).json()["data"]["items"]
            assert {row["run_id"]: row["status"] for row in listed} == dict.fromkeys((first_run, api_run, dagster_run), "cancelled")
            assert shows(by_api, "cancelled")
        records = "select s.run_id from sync_instance_records join sync_sessions as s using (session_id)"
        assert query(database, records) == [(first_run,)]
