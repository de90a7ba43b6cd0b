"""Faults while accounts are read: what is stored stays, what is unknown is a gap with its cure, and the next run completes the day.

The two known defects of the product that whalefall replaces (its own notes, section 1) have a test each, named after them.
"""

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
from psycopg2 import connect

from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member, privilege
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.account_matrix import BROKEN_STATEMENT, SERVER_FAULTS
from whalefall_pipelines_tests.faults.account_scene import AccountScene
from whalefall_pipelines_tests.faults.account_servers import KEEPER, LEAVER, STRANGER, AccountServer
from whalefall_pipelines_tests.faults.conftest import Report, Stage
from whalefall_pipelines_tests.faults.fault import POSTGRESQL, Fault, parameters
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR
from whalefall_pipelines_tests.faults.targets import PostgresTarget
from whalefall_pipelines_tests.servers.oracle import targets as oracle

pytestmark = [pytest.mark.process, oracle.LEFTOVERS]
leftovers = oracle.leftovers
Break = Callable[[AccountScene, AccountServer], AbstractContextManager[None]]
# A database alone has the time of a statement; a server that hangs has that of the instance.
QUICK = Deadlines(connect_seconds=5, statement_seconds=3, instance_seconds=30)
IMPATIENT = Deadlines(connect_seconds=3, statement_seconds=30, instance_seconds=4)


@contextmanager
def between_the_phases(accounts: AccountScene, happens: Callable[[], object]) -> Generator[None]:
    """For the block, something happens each time the accounts of the target are listed and their privileges are not yet read."""
    accounts.scene.steps.before_measuring = happens
    yield
    accounts.scene.steps = type(accounts.scene.steps)()
    assert accounts.scene.proxy
    accounts.scene.proxy.heal()


@contextmanager
def refused(accounts: AccountScene, server: AccountServer) -> Generator[None]:
    accounts.scene.set_password("not the password")
    yield
    accounts.scene.set_password(str(server.target.login.password))


@contextmanager
def nothing_readable(accounts: AccountScene, server: AccountServer) -> Generator[None]:
    with server.forbidden():
        yield


@contextmanager
def lost(accounts: AccountScene, server: AccountServer) -> Generator[None]:
    proxy = accounts.scene.proxy
    assert proxy
    accounts.scene.steps.before_connecting = proxy.heal
    server.add(STRANGER)  # phase one would store it
    with between_the_phases(accounts, proxy.cut):
        yield


@contextmanager
def revoked(accounts: AccountScene, server: AccountServer) -> Generator[None]:
    with server.partly_forbidden() as take, between_the_phases(accounts, take):
        yield


@contextmanager
def dropped(accounts: AccountScene, server: AccountServer) -> Generator[None]:
    with between_the_phases(accounts, partial(server.drop, LEAVER)):
        yield


@contextmanager
def hanging_database(accounts: AccountScene, server: AccountServer) -> Generator[None]:
    """Somebody rewrites a catalogue of the database that phase two reads."""
    target = server.target
    assert isinstance(target, PostgresTarget)
    before, accounts.scene.deadlines = accounts.scene.deadlines, QUICK
    connection = connect(target.cluster.url("app"))
    with connection.cursor() as cursor:
        cursor.execute("lock table pg_catalog.pg_init_privs in access exclusive mode")
        yield
    connection.close()
    accounts.scene.deadlines = before


@contextmanager
def hanging_server(accounts: AccountScene, server: AccountServer) -> Generator[None]:
    proxy, before = accounts.scene.proxy, accounts.scene.deadlines
    assert proxy
    accounts.scene.deadlines = IMPATIENT
    with between_the_phases(accounts, proxy.stall):
        yield
    accounts.scene.deadlines = before


BREAKS: dict[str, Break] = {
    "login refused while accounts are read": refused,
    "login that may read no accounts": nothing_readable,
    "connection lost between accounts and their privileges": lost,
    "privilege revoked between accounts and their privileges": revoked,
    "account dropped between accounts and their privileges": dropped,
    "database that hangs while its privileges are read": hanging_database,
    "server that hangs while its privileges are read": hanging_server,
}


def pass_through(stage: Stage, engine: str, fault: Fault) -> tuple[AccountScene, AccountServer, float]:
    """Read a day without the fault, one under it, and that again without; the seconds are those to recovery."""
    scene = stage(engine)
    scene.servers[NEIGHBOUR].accounts = listing(account("app"))
    accounts = AccountScene(scene)
    assert scene.target
    server = AccountServer(scene.target, scene.afterwards)
    accounts.run_the_day_before()
    before, names = accounts.stored(), [server.name_of(KEEPER), server.name_of(LEAVER)]
    privileges = accounts.open_privileges()
    assert all(privileges[name] >= 1 for name in names)
    with BREAKS[fault.name](accounts, server):
        accounts.run()
        accounts.look_for(fault)
        if fault.code:
            assert accounts.stored() == before, "phase one was not undone"
            assert not accounts.observed()
        elif fault.reasons:
            still = accounts.open_privileges()
            assert [still[name] for name in names] == [privileges[name] for name in names], "what could not be read was closed"
    mended_at = time.monotonic()
    accounts.run()
    assert accounts.observed()
    assert accounts.seen().reasons == set()
    return accounts, server, time.monotonic() - mended_at


@pytest.mark.parametrize(("fault", "engine"), parameters(SERVER_FAULTS))
def test_a_failing_server_keeps_its_accounts_and_recovers(fault: Fault, engine: str, stage: Stage, report: Report) -> None:
    accounts, server, seconds = pass_through(stage, engine, fault)
    after = accounts.open_privileges()
    assert after[server.name_of(KEEPER)] >= 1
    assert (server.name_of(LEAVER) in after) == (fault.name != "account dropped between accounts and their privileges")
    report(fault, engine, seconds)


@pytest.mark.faults
@pytest.mark.parametrize("engine", [POSTGRESQL, "MariaDB", "MySQL", "SQL Server", "Oracle"])
def test_the_defect_that_phase_one_stayed_changed_although_phase_two_had_failed(engine: str, stage: Stage) -> None:
    """There, the inventory was committed before the permissions were read, and nothing undid it."""
    (fault,) = [fault for fault in SERVER_FAULTS if fault.name.startswith("connection lost")]
    accounts, server, _ = pass_through(stage, engine, fault)
    stranger = server.name_of(STRANGER)
    # It is there with its privileges now, and was not there while they could not be read.
    assert accounts.open_privileges()[stranger] >= 1
    assert query(accounts.scene.store, "select distinct first_seen_date from instance_accounts where account_name = %s", stranger) == [
        (accounts.scene.day,)
    ]


TABLES = (
    "instance_accounts", "account_attributes", "account_membership_versions", "account_privileges", "account_observations",
    "sync_instance_records",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_the_defect_that_any_exception_left_the_record_running(store: Database, tmp_path: Path, table: str, report: Report) -> None:
    """There, the branch for exceptions only logged, and the record stayed in running for ever."""
    fleet = AccountsTest(store, tmp_path)
    fleet.hold(listing(account("app", "1"), account("role", "2")), facts(member("app", "role"), privilege("app", "SELECT")))
    event, condition = ("update", "new.status = 'completed'") if table == "sync_instance_records" else ("insert", "true")
    with store.transaction() as cursor:
        cursor.execute("create function fail() returns trigger language plpgsql as $$ begin raise exception 'the disk is on fire'; end $$")
        cursor.execute(f"create trigger fail before {event} on {table} for each row when ({condition}) execute function fail()")
    session_id, outcomes = fleet.sync_in_session()
    assert "the disk is on fire" in str(outcomes["a"].error)
    records = query(store, "select status, error_code from sync_instance_records where session_id = %s", str(session_id))
    assert records == [("failed", BROKEN_STATEMENT.code)]
    assert query(store, "select status from sync_sessions") == [("failed",)]
    assert (fleet.accounts(), query(store, "select * from account_observations")) == ({}, [])
    with store.transaction() as cursor:
        cursor.execute(f"drop trigger fail on {table}")
    fleet.sync_in_session()
    assert fleet.privileges() == {("app", "SELECT", "invoices")}
    report(BROKEN_STATEMENT, "fake", 0)
