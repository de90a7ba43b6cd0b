"""What the doctor says of what it is told: every rule has a fine case and its problems, each with one next step."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from whalefall_pipelines.domain import doctor
from whalefall_pipelines.domain.doctor import AUTOMATIONS, DAEMONS, CredentialFact, Finding, InstanceFact, Severity
from whalefall_pipelines.domain.retention import Footprint
from whalefall_pipelines.domain.sessions import RunningSession
from whalefall_pipelines.domain.table_partitions import Month, Place, TablePartition
from whalefall_pipelines.domain.upkeep import Step, StepKind

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
THIS = Month(2026, 11)


def bad(findings: list[Finding]) -> list[tuple[Severity, str, str]]:
    """What is not fine; a fine finding has no next step, and every other one has."""
    for one in findings:
        assert (one.next_step is None) == (one.severity is Severity.OK)
    return [(one.severity, one.sentence, one.next_step or "") for one in findings if one.next_step]


def test_the_time_zone_of_the_database_is_whalefalls_or_a_problem() -> None:
    assert bad([doctor.judge_timezone("Asia/Shanghai", clients="Asia/Shanghai", requested=None)]) == []
    assert bad([doctor.judge_timezone("Asia/Shanghai", clients="Asia/Shanghai", requested="Asia/Shanghai")]) == []
    ((severity, sentence, step),) = bad([doctor.judge_timezone("Asia/Shanghai", clients="Asia/Shanghai", requested="UTC")])
    assert (severity, "WHALEFALL_TIMEZONE is UTC" in sentence) == (Severity.PROBLEM, True)
    assert "unset WHALEFALL_TIMEZONE" in step
    for other in ("UTC", None):
        ((severity, sentence, step),) = bad([doctor.judge_timezone("Asia/Shanghai", clients=other, requested=None)])
        assert severity is Severity.PROBLEM
        assert (other or "of the server") in sentence
        assert "whalefall store migrate" in step


def a_step(kind: StepKind, month: Month, place: Place | None = Place.ATTACHED) -> Step:
    name = month.table_partition("instance_size_stats")
    found = TablePartition("instance_size_stats", "public", name, place, month.first_day, month.end_day, 0, 0) if place else None
    return Step(kind=kind, table_name="instance_size_stats", month=month, name=name, why="because", found=found)


def test_a_month_that_lacks_is_a_problem_when_it_has_begun_and_a_warning_when_it_comes() -> None:
    assert bad(doctor.judge_months([a_step(StepKind.KEEP, THIS)], THIS)) == []
    lacking = [a_step(StepKind.CREATE, month, None) for month in (Month(2026, 10), THIS, THIS.plus(1))]
    now, later = bad(doctor.judge_months(lacking, THIS))
    assert (now[0], later[0]) == (Severity.PROBLEM, Severity.WARNING)
    assert "instance_size_stats_2026_10, instance_size_stats_2026_11 lack" in now[1]
    assert "instance_size_stats_2026_12" in later[1]
    assert "2026_12" not in now[1]
    assert "whalefall partitions create" in now[2]
    assert "whalefall partitions create" in later[2]


def test_a_detach_that_was_cut_off_and_a_stranger_are_problems() -> None:
    found = bad(doctor.judge_months([a_step(StepKind.FINALIZE, THIS, Place.DETACH_PENDING), a_step(StepKind.FOREIGN, THIS)], THIS))
    assert [severity for severity, *_ in found] == [Severity.PROBLEM] * 2
    assert "whalefall partitions expire" in found[0][2]
    assert "whalefall partitions plan" in found[1][2]


def test_a_session_is_dead_when_its_process_is_gone() -> None:
    alive, dead = (RunningSession(UUID(int=number), None, is_alive=number == 1) for number in (1, 2))
    assert bad(doctor.judge_sessions([alive])) == []
    ((severity, sentence, step),) = bad(doctor.judge_sessions([alive, dead]))
    assert severity is Severity.PROBLEM
    assert str(dead.session_id) in sentence
    assert f"whalefall sessions cancel {dead.session_id}" in step


def test_a_password_that_cannot_be_read_is_a_problem_when_it_is_used() -> None:
    fine = CredentialFact("fine", is_used=True, why_not=None)
    assert bad(doctor.judge_credentials([fine])) == []
    for is_used, severity, step in (
        (True, Severity.PROBLEM, "bring it back."),
        (False, Severity.WARNING, "leave it, as no active instance uses it, or bring it back."),
    ):
        (found,) = bad(doctor.judge_credentials([fine, CredentialFact("a", is_used, "It cannot be read; bring it back.")]))
        assert found == (severity, "It cannot be read.", step)


def test_an_error_gives_its_own_advice_unless_there_is_a_better_one() -> None:
    error = "The database x cannot be reached: refused; start it."
    assert bad([doctor.judge_error("store", error)]) == [(Severity.PROBLEM, "The database x cannot be reached: refused.", "start it.")]
    assert bad([doctor.judge_error("store", error, "do this.")])[0][1:] == ("The database x cannot be reached: refused.", "do this.")
    assert bad([doctor.judge_error("store", "Odd.", otherwise="do that.")])[0][1:] == ("Odd.", "do that.")


def test_the_daemon_is_there_when_each_of_its_parts_spoke_of_late() -> None:
    fresh = dict.fromkeys(DAEMONS, NOW - timedelta(seconds=40))
    assert bad(doctor.judge_daemon(fresh, NOW)) == []
    old = dict.fromkeys(DAEMONS, NOW - timedelta(hours=1))
    partly = fresh | {"SENSOR": NOW - timedelta(hours=1)}
    for heartbeats, said in (({}, "never run"), (old, "no sign of life since"), (partly, "silent: sensor")):
        (found,) = bad(doctor.judge_daemon(heartbeats, NOW))
        assert found[0] is Severity.PROBLEM
        assert said in found[1]
        assert "start" in found[2]
    del fresh["MONITORING"]
    assert "silent: monitoring" in bad(doctor.judge_daemon(fresh, NOW))[0][1]


def test_automations_are_known_and_on() -> None:
    states = dict.fromkeys(AUTOMATIONS, "DECLARED_IN_CODE") | {"something_else": "STOPPED"}
    assert bad(doctor.judge_automations(states | {"bridge_gaps": "RUNNING"})) == []
    ((severity, sentence, step),) = bad(doctor.judge_automations(states | {"bridge_gaps": "STOPPED"}))
    assert (severity, "bridge_gaps" in sentence, "Automation" in step) == (Severity.WARNING, True, True)
    del states["collect_every_night"]
    ((severity, sentence, step),) = bad(doctor.judge_automations(states))
    assert (severity, "collect_every_night" in sentence, "code location" in step) == (Severity.PROBLEM, True, True)


def test_a_server_that_cannot_be_visited_gives_the_advice_of_its_error() -> None:
    refused = InstanceFact("a", error="PostgreSQL at h:1: refused; is it running?")
    found = bad(doctor.judge_instances([refused, InstanceFact("b", error="Odd.")]))
    assert found == [
        (Severity.PROBLEM, "a: PostgreSQL at h:1: refused.", "is it running?"),
        (Severity.PROBLEM, "b: Odd.", "run `whalefall instances test b`."),
    ]


def test_a_grant_that_lacks_is_a_problem_when_a_size_does_and_else_a_warning() -> None:
    missing = (("x", "run on that server: GRANT monitor;"), ("y", "…"))
    found = bad(
        doctor.judge_instances(
            [
                InstanceFact("both", lacking_grants=("GRANT stats;",), missing=missing),
                InstanceFact("sizes", missing=missing),
                InstanceFact("right", lacking_grants=("GRANT stats;",)),
                InstanceFact("fine"),
            ]
        )
    )
    assert [(severity, step) for severity, _, step in found] == [
        (Severity.PROBLEM, "run on that server: GRANT stats;"),
        (Severity.PROBLEM, "run on that server: GRANT monitor;"),
        (Severity.WARNING, "run on that server: GRANT stats;"),
    ]
    assert "both: x, y cannot be measured" in found[0][1]


def test_fine_servers_are_one_line_and_no_server_is_a_warning() -> None:
    assert doctor.judge_instances([InstanceFact("a"), InstanceFact("b")]) == [
        Finding("instances", Severity.OK, "2 of 2 let us in and show every size.")
    ]
    ((severity, _, step),) = bad(doctor.judge_instances([]))
    assert (severity, "whalefall instances add" in step) == (Severity.WARNING, True)


def test_long_lists_are_cut() -> None:
    months = [a_step(StepKind.CREATE, Month(2026, 1).plus(number), None) for number in range(8)]
    assert "and 3 more" in bad(doctor.judge_months(months, THIS))[0][1]


def test_the_footprint_is_told_with_its_kinds_and_its_growth() -> None:
    sizes = {"sizes": 3 * 2**30, "dagster": 2**20}
    known = Footprint(sizes, {"sizes": 2**30, "dagster": 2**20}, date(2026, 11, 18), date(2026, 11, 22))
    assert doctor.judge_footprint(known).sentence == (
        "3.0 GiB on disk (sizes 3.0 GiB, dagster 1.0 MiB); 512.0 MiB more a day since 2026-11-18."
    )
    assert "known from tomorrow on" in doctor.judge_footprint(Footprint(sizes, {}, None, date(2026, 11, 22))).sentence
