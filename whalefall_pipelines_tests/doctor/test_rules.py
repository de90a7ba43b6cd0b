"""The doctor's rules: each has a fine case and its problems, every problem with one next step."""

from datetime import UTC, datetime, timedelta

from whalefall_pipelines.areas import areas
from whalefall_pipelines.doctor.dagster import DAEMONS, check_automations, check_daemon
from whalefall_pipelines.doctor.examine import check_timezone
from whalefall_pipelines.doctor.outcome import Severity, problem_of_error
from whalefall_pipelines_tests.doctor.outcomes import bad

AUTOMATIONS = [name for area in areas() for name in area.automations]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_time_zone_of_the_database_is_whalefalls_or_a_problem() -> None:
    assert bad([check_timezone("Asia/Shanghai", clients="Asia/Shanghai", requested=None)]) == []
    assert bad([check_timezone("Asia/Shanghai", clients="Asia/Shanghai", requested="Asia/Shanghai")]) == []
    ((severity, sentence, step),) = bad([check_timezone("Asia/Shanghai", clients="Asia/Shanghai", requested="UTC")])
    assert (severity, "WHALEFALL_TIMEZONE is UTC" in sentence) == (Severity.PROBLEM, True)
    assert "unset WHALEFALL_TIMEZONE" in step
    for other in ("UTC", None):
        ((severity, sentence, step),) = bad([check_timezone("Asia/Shanghai", clients=other, requested=None)])
        assert severity is Severity.PROBLEM
        assert (other or "of the server") in sentence
        assert "whalefall store migrate" in step


def test_an_error_gives_its_own_advice_unless_there_is_a_better_one() -> None:
    error = "The database x cannot be reached: refused; start it."
    assert bad([problem_of_error("store", error)]) == [(Severity.PROBLEM, "The database x cannot be reached: refused.", "start it.")]
    assert bad([problem_of_error("store", error, "do this.")])[0][1:] == ("The database x cannot be reached: refused.", "do this.")
    assert bad([problem_of_error("store", "Odd.", otherwise="do that.")])[0][1:] == ("Odd.", "do that.")


def test_the_daemon_is_alive_when_each_of_its_parts_has_a_recent_heartbeat() -> None:
    fresh = dict.fromkeys(DAEMONS, NOW - timedelta(seconds=40))
    assert bad(check_daemon(fresh, NOW)) == []
    old = dict.fromkeys(DAEMONS, NOW - timedelta(hours=1))
    partly = fresh | {"SENSOR": NOW - timedelta(hours=1)}
    for heartbeats, sentence in (({}, "never run"), (old, "the last heartbeat of"), (partly, "send no heartbeat: sensor")):
        (outcome,) = bad(check_daemon(heartbeats, NOW))
        assert outcome[0] is Severity.PROBLEM
        assert sentence in outcome[1]
        assert "start" in outcome[2]
    del fresh["MONITORING"]
    assert "send no heartbeat: monitoring" in bad(check_daemon(fresh, NOW))[0][1]


def test_automations_are_known_and_on() -> None:
    states = dict.fromkeys(AUTOMATIONS, "DECLARED_IN_CODE") | {"something_else": "STOPPED"}
    assert bad(check_automations(states | {"interpolate_gaps": "RUNNING"}, AUTOMATIONS)) == []
    ((severity, sentence, step),) = bad(check_automations(states | {"interpolate_gaps": "STOPPED"}, AUTOMATIONS))
    assert (severity, "interpolate_gaps" in sentence, "Automation" in step) == (Severity.WARNING, True, True)
    del states["collect_every_night"]
    ((severity, sentence, step),) = bad(check_automations(states, AUTOMATIONS))
    assert (severity, "collect_every_night" in sentence, "code location" in step) == (Severity.PROBLEM, True, True)
