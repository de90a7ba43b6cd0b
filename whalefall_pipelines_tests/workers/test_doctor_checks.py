"""The doctor's checks of workers: each zone without one is a problem with one next step."""

from whalefall_pipelines.doctor.outcome import Severity
from whalefall_pipelines.workers.doctor_checks import check_reach, check_workers, find_queues
from whalefall_pipelines_tests.doctor.outcomes import bad


def test_a_zone_for_which_no_worker_listens_is_a_problem() -> None:
    servers = {None: 2, "dmz": 3}
    assert bad(check_workers(servers, {"centre", "dmz", "other"})) == []
    ((severity, sentence, step),) = bad(check_workers(servers, {"centre"}))
    assert severity is Severity.PROBLEM
    assert "dmz (3 servers)" in sentence
    assert "WHALEFALL_ZONES=dmz" in step


def test_the_centre_needs_a_worker_even_without_servers() -> None:
    ((_, sentence, step),) = bad(check_workers({"dmz": 3}, {"dmz"}))
    assert "centre (runs without a zone)" in sentence
    assert "WHALEFALL_ZONES=centre" in step


def test_a_redis_that_does_not_answer_is_a_problem_and_its_password_is_not_shown() -> None:
    assert find_queues("redis://:secret@127.0.0.1:1/0") is None
    ((severity, sentence, step),) = bad(check_workers({}, None))
    assert severity is Severity.PROBLEM
    assert "WHALEFALL_BROKER_URL" in sentence
    assert "secret" not in sentence + step


def test_without_workers_the_processes_of_the_centre_must_reach_every_zone() -> None:
    servers = {None: 2, "dmz": 3, "lab": 4}
    assert bad(check_reach(servers, frozenset({None, "dmz", "lab"}))) == []
    ((severity, sentence, step),) = bad(check_reach(servers, frozenset({None})))
    assert severity is Severity.WARNING
    assert sentence == "7 servers are in zones that this process does not reach: dmz, lab."
    assert "WHALEFALL_ZONES" in step
    ((_, sentence, _),) = bad(check_reach({None: 2, "dmz": 1}, frozenset({None})))
    assert sentence == "1 server is in a zone that this process does not reach: dmz."
