"""How much of the files is in use, as far as the login can connect to the databases; the rest stays unknown, never 0."""

import threading

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sizes import SizesProbe
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines_tests.servers.probes import PATIENT, failure
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.messages import ServerError
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, SEES_STATE, probing

driver, server = targets.driver, targets.server
PAGE = 8192


def used(probe: SizesProbe, *names: str) -> list[int | None]:
    """The used bytes of these databases, each of which has a size."""
    sizes = [outcome for outcome in probe.measure(names) if isinstance(outcome, DatabaseSize)]
    assert [size.database_name for size in sizes] == list(names)
    return [size.used_bytes for size in sizes]


def questions(server: SqlServer) -> list[int]:
    """How many databases each statement queried."""
    return [text.count("allocation_units") for text in server.statements if "allocation_units" in text]


def test_used_space_is_read_by_one_statement_for_all(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", used_pages=700)
    server.catalogue.add_database("docs", used_pages=10, container_pages=77)  # a container is in use as a whole
    server.catalogue.add_database("huge", data_pages=2**31 - 1, used_pages=2**31 - 1)
    with probing(driver, server) as probe:
        assert used(probe, "shop", "docs", "huge") == [700 * PAGE, 87 * PAGE, (2**31 - 1) * PAGE]
    assert questions(server) == [3]


def test_what_cannot_be_queried_is_unknown(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shut", used_pages=700, state="OFFLINE")
    server.catalogue.add_database("broken", used_pages=700, state="SUSPECT")
    server.catalogue.add_database("shop", used_pages=700)
    with probing(driver, server, deadlines=PATIENT) as probe:
        assert used(probe, "shut", "shop") == [None, 700 * PAGE]
        (missing,) = probe.measure(["broken"])
    assert isinstance(missing, MissingSize)
    server.catalogue.revoke(LOGIN.username, "CONNECT ANY DATABASE")
    with probing(driver, server, deadlines=PATIENT) as probe:
        assert used(probe, "shop", "shut") == [None, None]
    assert questions(server) == [1]


def test_databases_are_queried_in_batches_of_a_hundred(driver: Driver, server: SqlServer) -> None:
    names = [f"tenant {number:03}" for number in range(205)]
    for number, name in enumerate(names):
        server.catalogue.add_database(name, used_pages=number)
    with probing(driver, server, deadlines=PATIENT) as probe:
        assert used(probe, *names) == [number * PAGE for number in range(205)]
    assert questions(server) == [100, 100, 5]


def test_a_database_that_fails_the_question_is_found_and_costs_no_other_its_answer(driver: Driver, server: SqlServer) -> None:
    """A secondary replica may be closed to readers, which only VIEW SERVER STATE reveals beforehand."""
    server.catalogue.revoke(LOGIN.username, SEES_STATE)
    names = [f"tenant {number}" for number in range(9)]
    for number, name in enumerate(names):
        closed = {"role": 2, "is_readable": False} if number == 3 else {}
        server.catalogue.add_database(name, used_pages=number, **closed)  # type: ignore[arg-type]
    with probing(driver, server) as probe:
        assert used(probe, *names) == [None if number == 3 else number * PAGE for number in range(9)]
    assert sorted(questions(server), reverse=True) == [9, 5, 4, 2, 2, 1, 1]


@pytest.mark.parametrize("number", [1222, 8134])
def test_sizes_are_kept_when_the_query_fails(driver: Driver, server: SqlServer, number: int) -> None:
    server.catalogue.add_database("shop", used_pages=700)
    with probing(driver, server) as probe:
        server.next_error, server.error_on = ServerError(number, "as told"), "allocation_units"
        assert used(probe, "shop") == [None]
    assert questions(server) == [1]


@pytest.mark.parametrize("deadlines", [Deadlines(10, 4, 60), Deadlines(10, 60, 6)])
def test_a_query_that_takes_too_long_is_the_last_and_loses_no_size(driver: Driver, server: SqlServer, deadlines: Deadlines) -> None:
    """Too long for a statement, or for the probe: with ten thousand databases there would be a hundred queries."""
    names = [f"tenant {number:03}" for number in range(405)]
    for name in names:
        server.catalogue.add_database(name, used_pages=700)
    with probing(driver, server, deadlines=deadlines) as probe:
        server.held_on = "[tenant 100]"
        server.held.set()
        assert used(probe, *names) == [700 * PAGE] * 100 + [None] * 305
    assert questions(server) == [100, 100]


def test_a_stopped_probe_sends_no_further_query(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", used_pages=700)
    watchdog = Watchdog()
    with probing(driver, server, deadlines=PATIENT, watchdog=watchdog) as probe:
        server.held_on = "allocation_units"
        server.held.set()
        threading.Timer(0.5, watchdog.shut_all).start()
        with failure(Reason.CANCELLED, SizesError):
            probe.measure(["shop"])


def test_what_containers_use_is_unknown_with_their_size(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", container_pages=77, used_pages=5, role=2, is_readable=False)
    with probing(driver, server) as probe:
        (missing,) = probe.measure(["shop"])
    assert isinstance(missing, MissingSize)
    assert (missing.reason, "availability group" in missing.detail) == (Reason.UNAVAILABLE, True)
