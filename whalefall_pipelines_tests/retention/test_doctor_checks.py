"""The doctor's checks of months and of the footprint: fine, or a problem with one next step."""

from datetime import date

from whalefall_pipelines.doctor.outcome import Severity
from whalefall_pipelines.domain.months import Month, Place, TablePartition
from whalefall_pipelines.retention.doctor_checks import check_footprint, check_months
from whalefall_pipelines.retention.expired_rows import Footprint
from whalefall_pipelines.retention.maintenance import Step, StepKind
from whalefall_pipelines_tests.doctor.outcomes import bad

THIS = Month(2026, 11)


def a_step(kind: StepKind, month: Month, place: Place | None = Place.ATTACHED) -> Step:
    name = month.table_partition("instance_size_stats")
    table_partition = TablePartition("instance_size_stats", "public", name, place, month.first_day, month.end_day, 0, 0) if place else None
    return Step(kind=kind, table_name="instance_size_stats", month=month, name=name, why="because", table_partition=table_partition)


def test_a_missing_month_is_a_problem_once_it_has_begun_and_a_warning_before() -> None:
    assert bad(check_months([a_step(StepKind.KEEP, THIS)], THIS)) == []
    missing = [a_step(StepKind.CREATE, month, None) for month in (Month(2026, 10), THIS, THIS.plus(1))]
    now, later = bad(check_months(missing, THIS))
    assert (now[0], later[0]) == (Severity.PROBLEM, Severity.WARNING)
    assert now[1] == "missing, and created by the next run before it writes: instance_size_stats_2026_10, instance_size_stats_2026_11."
    assert later[1] == "missing of the months ahead: instance_size_stats_2026_12."
    assert "whalefall partitions create" in now[2]
    assert "whalefall partitions create" in later[2]


def test_an_interrupted_detach_and_a_conflict_are_problems() -> None:
    outcomes = bad(check_months([a_step(StepKind.FINALIZE, THIS, Place.DETACH_PENDING), a_step(StepKind.CONFLICT, THIS)], THIS))
    assert [severity for severity, *_ in outcomes] == [Severity.PROBLEM] * 2
    assert "whalefall partitions expire" in outcomes[0][2]
    assert "whalefall partitions plan" in outcomes[1][2]


def test_long_lists_are_cut() -> None:
    months = [a_step(StepKind.CREATE, Month(2026, 1).plus(number), None) for number in range(8)]
    assert "and 3 more" in bad(check_months(months, THIS))[0][1]


def test_the_footprint_is_reported_with_its_kinds_and_its_growth() -> None:
    sizes = {"sizes": 3 * 2**30, "dagster": 2**20}
    known = Footprint(sizes, {"sizes": 2**30, "dagster": 2**20}, date(2026, 11, 18), date(2026, 11, 22))
    assert check_footprint(known).sentence == "3.2 GB on disk (sizes 3.2 GB, dagster 1.0 MB); 536.9 MB more a day since 2026-11-18."
    assert "known from tomorrow on" in check_footprint(Footprint(sizes, {}, None, date(2026, 11, 22))).sentence
