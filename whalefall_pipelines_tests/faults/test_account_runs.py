"""Faults of runs that read accounts, at the command and under the daemon: killed at each step, cancelled, without a store."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import Home, eventually, launch_run, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.account_matrix import AT_THE_COMMAND, CANCELLED, KILLED_UNDER_THE_DAEMON, KILLS, STORE_AWAY
from whalefall_pipelines_tests.faults.account_scene import AccountScene
from whalefall_pipelines_tests.faults.account_servers import AccountServer
from whalefall_pipelines_tests.faults.conftest import ProcessStage, Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.targets import Targets
from whalefall_pipelines_tests.faults.test_accounts import BREAKS
from whalefall_pipelines_tests.faults.test_daemon import ENDED_SECONDS, RETRIED_SECONDS, SOON, STATUS, away, kill_the_run, scene_at

pytestmark = pytest.mark.process
STOPS = {
    "writing accounts": Stop("instance_accounts", "insert", "new.instance_id = {target}"),
    "writing attributes": Stop("account_attributes", "insert"),
    "writing memberships": Stop("account_membership_versions", "insert"),
    "writing privileges": Stop("account_privileges", "insert"),
    "writing the observation": Stop("account_observations", "insert", "new.instance_id = {target}"),
    "closing the record of accounts": Stop("sync_instance_records", "update", "new.status = 'completed' and new.instance_id = {target}"),
    "committing accounts": Stop(
        "sync_instance_records", "update", "new.status = 'completed' and new.instance_id = {target}", at_commit=True
    ),
}


def stop_of(accounts: AccountScene, step: str) -> Stop:
    return replace(STOPS[step], condition=STOPS[step].condition.format(target=accounts.scene.target_id()))


def is_whole(accounts: AccountScene) -> bool:
    return accounts.observed() and query(accounts.scene.store, "select 1 from sync_sessions where status = 'running'") == []


@pytest.mark.parametrize(("fault", "engine"), parameters(KILLS))
def test_a_killed_run_leaves_no_account_half_stored(fault: Fault, engine: str, process_stage: ProcessStage, report: Report) -> None:
    scene, installation = process_stage(engine)
    accounts = AccountScene(scene)
    step = fault.name.removeprefix("reading accounts killed with -9 while ")
    with stopped_at(scene.store, stop_of(accounts, step)) as holder:
        run = installation.start("accounts", "sync")
        holder.wait_for_somebody(run.output)
        run.kill_worker()
        holder.let_go()
        assert run.wait() == 2
    assert fault.says in run.output()
    accounts.find_session()
    failed = [accounts.seen(name) for name in ("target", "neighbour") if accounts.seen(name).record == "failed"]
    # What was sent to be committed is committed, although nobody waits for the answer.
    assert [(seen.status, seen.code) for seen in failed] == ([("failed", fault.code)] if fault.code else [])
    assert accounts.seen().status == "failed"
    # The neighbour, which is another name of the same server, was read first or is pending.
    assert accounts.stored() == frozenset() or accounts.observed()
    accounts.check()
    mended_at = time.monotonic()
    again = installation.start("accounts", "sync")
    assert again.wait() == 0, again.output()
    assert is_whole(accounts)
    report(fault, engine, time.monotonic() - mended_at)


@pytest.mark.parametrize(("fault", "engine"), parameters(AT_THE_COMMAND))
def test_a_person_sees_the_fault_at_the_command(fault: Fault, engine: str, process_stage: ProcessStage, report: Report) -> None:
    scene, installation = process_stage(engine)
    assert scene.target
    accounts, server = AccountScene(scene), AccountServer(scene.target, scene.afterwards)
    with BREAKS[fault.name](accounts, server):
        run = installation.start("accounts", "sync")
        assert run.wait() == 1, run.output()
    accounts.find_session()
    accounts.look_for(fault, printed=run.output())
    assert fault.says in run.output()
    mended_at = time.monotonic()
    again = installation.start("accounts", "sync")
    again.wait()
    assert is_whole(accounts), again.output()
    report(fault, engine, time.monotonic() - mended_at)


@pytest.mark.parametrize(("fault", "engine"), parameters((STORE_AWAY,)))
def test_a_run_waits_for_the_store(fault: Fault, engine: str, process_stage: ProcessStage, report: Report) -> None:
    scene, installation = process_stage(engine)
    accounts = AccountScene(scene)
    with stopped_at(scene.store, stop_of(accounts, "writing the observation")) as holder:
        run = installation.start("accounts", "sync")
        holder.wait_for_somebody(run.output)
        with away(scene.store):
            time.sleep(2)
        mended_at = time.monotonic()
        assert run.wait() == 0, run.output()
    accounts.find_session()
    accounts.look_for(fault)
    assert accounts.observed()
    report(fault, engine, time.monotonic() - mended_at)


@pytest.mark.parametrize(("fault", "engine"), parameters((CANCELLED,)))
def test_a_cancelled_session_ends_its_run_and_stores_nothing_of_the_instance_in_progress(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], targets: Targets, report: Report
) -> None:
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with scene_at(home, targets, engine) as scene:
        accounts = AccountScene(scene)
        with running(home, free_port()) as up:
            with stopped_at(scene.store, stop_of(accounts, "writing the observation")) as holder:
                run_id = launch_run(up, load_settings(home.environment), "sync_accounts")
                holder.wait_for_somebody(up.output, seconds=90)
                accounts.find_session()
                assert "is cancelled" in home.succeed("sessions", "cancel", str(scene.session_id))
                holder.let_go()
            assert eventually(lambda: up.ask(STATUS, {"id": run_id})["runOrError"]["status"] == "CANCELED", seconds=60), up.output()
            assert (accounts.seen().status, accounts.observed(), accounts.stored()) == ("cancelled", False, frozenset())
            accounts.check()
            mended_at = time.monotonic()
            launch_run(up, load_settings(home.environment), "sync_accounts")
            assert eventually(lambda: is_whole(accounts), seconds=60), up.output()
            report(fault, engine, time.monotonic() - mended_at)


@pytest.mark.parametrize(("fault", "engine"), parameters((KILLED_UNDER_THE_DAEMON,)))
def test_the_daemon_reads_the_accounts_of_a_killed_run(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], targets: Targets, report: Report
) -> None:
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with scene_at(home, targets, engine) as scene:
        accounts = AccountScene(scene)
        with running(home, free_port()) as up:
            with stopped_at(scene.store, stop_of(accounts, "writing the observation")) as holder:
                run_id = launch_run(up, load_settings(home.environment), "sync_accounts")
                holder.wait_for_somebody(up.output, seconds=90)
                kill_the_run(home, up, run_id)
            mended_at = time.monotonic()
            ended = "select 1 from sync_sessions where status = 'failed' and sync_category = 'account'"
            assert eventually(lambda: query(scene.store, ended), seconds=ENDED_SECONDS), up.output()
            accounts.find_session()
            seen = accounts.seen()
            assert (seen.status, seen.code) == ("failed", fault.code), seen
            assert fault.says in seen.sentence, seen
            assert eventually(lambda: is_whole(accounts), seconds=RETRIED_SECONDS), up.output()
            retried = query(scene.store, "select sync_type, status from sync_sessions where retry_of = %s", str(scene.session_id))
            assert retried == [("retry", "completed")]
            report(fault, engine, time.monotonic() - mended_at)
