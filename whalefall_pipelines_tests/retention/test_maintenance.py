"""The plan of partition maintenance, for any catalogue and any day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.aggregation.model import AGGREGATION_TABLES
from whalefall_pipelines.areas import partitioned_tables
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month, Place, TablePartition, months_between
from whalefall_pipelines.retention.maintenance import (
    MaintenanceRules,
    Step,
    StepKind,
    droppable_days,
    dropped_by,
    expired_by,
    plan_maintenance,
)
from whalefall_pipelines_tests.partitioned_tables import OTHER_DAY_TABLES, PARTITIONED_TABLES, SIZE_TABLES

TODAY = date(2026, 11, 22)
RULES = MaintenanceRules(partitioned_tables(), months_ahead=3, stats_retention_months=12, aggregation_retention_months=60)
TABLE = PARTITIONED_TABLES[0]


def part(month: Month, place: Place = Place.ATTACHED, table_name: str = TABLE) -> TablePartition:
    name = month.table_partition(table_name)
    return TablePartition(table_name, "public", name, place, month.first_day, month.end_day, total_bytes=8192, rows=None)


def odd(first_day: date | None, end_day: date | None, name: str = "odd", *, is_plain: bool = True) -> TablePartition:
    return TablePartition(TABLE, "public", name, Place.ATTACHED, first_day, end_day, 0, None, is_plain)


def stray(month: Month) -> TablePartition:
    return TablePartition(TABLE, "public", month.table_partition(TABLE), Place.STRAY, None, None, 0, None)


def span(first: str, last: str) -> list[TablePartition]:
    return [part(month) for month in months_between(*(Month(int(text[:4]), int(text[5:])) for text in (first, last)))]


def plan(*partitions: TablePartition, rules: MaintenanceRules = RULES, day: date = TODAY, needed: tuple[Month, ...] = ()) -> list[Step]:
    return [step for step in plan_maintenance(partitions, rules, day, needed) if step.table_name == TABLE]


def months(steps: list[Step], kind: StepKind) -> list[str]:
    return [str(step.month) for step in steps if step.kind is kind]


def test_a_fresh_store_gets_this_month_and_three_more_in_all_tables() -> None:
    steps = plan_maintenance([], RULES, TODAY)
    assert {step.kind for step in steps} == {StepKind.CREATE}
    for table_name in PARTITIONED_TABLES:
        assert [str(step.month) for step in steps if step.table_name == table_name] == ["2026-11", "2026-12", "2027-01", "2027-02"]


def test_months_that_stop_last_month_are_continued() -> None:
    steps = plan(*span("2026-05", "2026-10"))
    assert months(steps, StepKind.CREATE) == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert len(months(steps, StepKind.KEEP)) == 6


def test_a_hole_within_the_retention_is_filled_and_one_before_it_is_not() -> None:
    steps = plan(part(Month(2020, 1)), *span("2026-02", "2026-05"), *span("2026-08", "2027-02"))
    assert months(steps, StepKind.CREATE) == ["2026-06", "2026-07"]
    assert months(steps, StepKind.EXPIRE) == ["2020-01"]


def test_a_month_that_a_run_writes_is_created_unless_it_would_expire_at_once() -> None:
    steps = plan(*span("2026-11", "2027-02"), needed=(Month(2026, 10), Month(2020, 1)))
    assert months(steps, StepKind.CREATE) == ["2026-10"]


def test_what_is_wholly_older_than_the_retention_expires() -> None:
    steps = plan(*span("2025-09", "2027-02"))
    assert months(steps, StepKind.EXPIRE) == ["2025-09", "2025-10"]
    assert months(steps, StepKind.KEEP)[0] == "2025-11"
    older = [part(Month(2021, 10), table_name=PARTITIONED_TABLES[3]), part(Month(2021, 11), table_name=PARTITIONED_TABLES[3])]
    assert [str(step.month) for step in plan_maintenance(older, RULES, TODAY) if step.kind is StepKind.EXPIRE] == ["2021-10"]


def test_an_overdue_month_of_sizes_that_is_held_stays_with_its_reason_and_no_other_month_does() -> None:
    parts = [part(Month(2025, month), table_name=name) for name in PARTITIONED_TABLES for month in (9, 10, 11)]
    pending = part(Month(2025, 8), Place.DETACH_PENDING)
    held = {Month(2025, month): "why" for month in (8, 9, 11)}
    steps = plan_maintenance([*parts, pending], RULES, TODAY, held=held)
    assert [(step.table_name, str(step.month), step.why) for step in steps if step.kind is StepKind.HOLD] == [
        (table_name, "2025-09", "why") for table_name in SIZE_TABLES
    ]
    assert [str(step.month) for step in dropped_by(steps)] == [
        "2025-08",
        *["2025-10"] * len(SIZE_TABLES),
        *["2025-09", "2025-10"] * len(OTHER_DAY_TABLES),
    ]
    assert droppable_days(plan_maintenance([*parts, pending], RULES, TODAY), RULES) == (Month(2025, 9), Month(2025, 10))


def test_a_table_of_the_same_name_conflicts_and_its_month_is_not_created() -> None:
    steps = plan(stray(Month(2026, 12)))
    assert "2026-12" not in months(steps, StepKind.CREATE)
    conflicts = [step for step in steps if step.kind is StepKind.CONFLICT]
    assert [step.name for step in conflicts] == [f"{TABLE}_2026_12"] * 2
    assert any("2026-12 cannot be created" in step.why for step in conflicts)


@pytest.mark.parametrize(
    ("first_day", "end_day"),
    [
        (date(2026, 12, 1), date(2026, 12, 16)),
        (date(2026, 11, 16), date(2026, 12, 2)),
        (date(2026, 12, 1), date(2027, 1, 2)),
        (date(2026, 10, 1), date(2027, 1, 1)),
        (date(2026, 10, 1), None),
        (None, date(2027, 1, 1)),
    ],
)
def test_other_bounds_conflict_are_left_alone_and_named_where_they_are_in_the_way(first_day: date | None, end_day: date | None) -> None:
    steps = plan(odd(first_day, end_day))
    assert "2026-12" not in months(steps, StepKind.CREATE)
    assert "2026-12" in months(steps, StepKind.CONFLICT)
    assert not dropped_by(steps)


def test_a_part_that_is_divided_further_conflicts() -> None:
    steps = plan(odd(date(2020, 1, 1), date(2020, 2, 1), is_plain=False), *span("2026-10", "2026-11"))
    assert [step.kind for step in steps if step.name == "odd"] == [StepKind.CONFLICT]


def test_an_interrupted_detach_is_finalized_and_only_an_overdue_one_is_dropped() -> None:
    steps = plan(part(Month(2025, 1), Place.DETACH_PENDING), part(Month(2026, 10), Place.DETACH_PENDING), *span("2026-11", "2027-02"))
    assert [(str(step.month), step.drops) for step in steps if step.kind is StepKind.FINALIZE] == [("2025-01", True), ("2026-10", False)]


def test_what_an_interrupted_maintenance_detached_is_dropped_or_attached_again_unless_its_month_is_taken() -> None:
    left = (part(Month(2025, 1), Place.DETACHED), part(Month(2026, 9), Place.DETACHED), part(Month(2026, 12), Place.DETACHED))
    steps = plan(*left, odd(date(2026, 9, 1), date(2026, 10, 1)), part(Month(2026, 10)), part(Month(2026, 11)))
    assert [(str(step.month), step.kind, step.drops) for step in steps if step.table_partition in left] == [
        ("2025-01", StepKind.EXPIRE, True),
        ("2026-09", StepKind.CONFLICT, False),
        ("2026-12", StepKind.CREATE, False),
    ]
    assert months(steps, StepKind.CREATE) == ["2026-12", "2027-01", "2027-02"]


def test_the_last_part_of_a_table_is_never_dropped() -> None:
    steps = plan(*span("2019-01", "2019-03"))
    assert months(steps, StepKind.EXPIRE) == ["2019-01", "2019-02"]
    assert months(steps, StepKind.KEEP) == ["2019-03"]
    assert not dropped_by(plan(part(Month(2019, 1), Place.DETACH_PENDING)))
    steps = plan(
        part(Month(2019, 1)), part(Month(2019, 2), Place.DETACH_PENDING)
    )  # an attached part stays, not one that could be attached again
    assert [str(step.month) for step in dropped_by(steps)] == ["2019-02"]


def test_100_years_of_months_are_planned_at_once() -> None:
    steps = plan(*span("1926-12", "2026-11"))
    assert len(months(steps, StepKind.KEEP)) == 13
    assert len(months(steps, StepKind.EXPIRE)) == 1200 - 13
    assert months(steps, StepKind.CREATE) == ["2026-12", "2027-01", "2027-02"]


@pytest.mark.parametrize(
    ("zone", "instant", "month"),
    [
        # The replaced product mixed UTC with local days: for eight hours at each month's end it was in the wrong month.
        ("Asia/Shanghai", datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC), "2026-11"),
        ("Asia/Shanghai", datetime(2026, 11, 30, 16, 0, tzinfo=UTC), "2026-12"),
        # Clocks go forward on 31 March 2024 at 01:00 UTC: midnight of the first of April is at 22:00 UTC and no more at 23:00.
        ("Europe/Berlin", datetime(2024, 3, 31, 21, 59, 59, tzinfo=UTC), "2024-03"),
        ("Europe/Berlin", datetime(2024, 3, 31, 22, 0, tzinfo=UTC), "2024-04"),
        # Clocks go back on 1 November 2026, two hours after the month began.
        ("America/New_York", datetime(2026, 11, 1, 3, 59, 59, tzinfo=UTC), "2026-10"),
        ("America/New_York", datetime(2026, 11, 1, 4, 0, tzinfo=UTC), "2026-11"),
    ],
)
def test_the_month_begins_at_local_midnight(zone: str, instant: datetime, month: str) -> None:
    steps = plan(day=today(instant, ZoneInfo(zone)))
    assert months(steps, StepKind.CREATE)[0] == month


MONTHS = st.builds(Month, st.integers(1990, 2060), st.integers(1, 12))
DAYS = st.dates(date(1995, 1, 1), date(2050, 12, 31))
MONTHLY = st.builds(part, MONTHS, st.sampled_from([Place.ATTACHED, Place.DETACH_PENDING, Place.DETACHED]))
ODD = st.builds(lambda first, length: odd(first, first + timedelta(days=length)), DAYS, st.integers(1, 200))
CATALOGUES = st.lists(MONTHLY | ODD | st.builds(stray, MONTHS), max_size=40, unique_by=lambda table_partition: table_partition.name)
ALL_RULES = st.builds(MaintenanceRules, st.just(partitioned_tables()), st.integers(0, 24), st.integers(0, 60), st.integers(0, 120))


@given(CATALOGUES, ALL_RULES, DAYS, st.lists(MONTHS, max_size=5))
def test_every_plan_is_safe_and_complete(partitions: list[TablePartition], rules: MaintenanceRules, day: date, needed: list[Month]) -> None:
    steps = plan(*partitions, rules=rules, day=day, needed=tuple(needed))
    this_month = Month(day.year, day.month)
    kept_from = this_month.plus(-rules.stats_retention_months)
    dropped = dropped_by(steps)
    assert sorted(step.name for step in steps if step.table_partition) == sorted(
        table_partition.name for table_partition in partitions
    )  # each table has exactly one step
    for step in dropped:
        assert step.month
        assert step.month.end_day <= day
        assert step.month < kept_from
        assert step.table_partition
        assert step.table_partition.place is not Place.STRAY
    attached = [table_partition for table_partition in partitions if table_partition.place is Place.ATTACHED]
    gone = [step.table_partition for step in dropped]
    assert not attached or any(table_partition not in gone for table_partition in attached)
    created = [step for step in steps if step.kind is StepKind.CREATE]
    for step in created:
        assert step.month
        assert step.month >= kept_from
        assert not any(table_partition.overlaps(step.month) for table_partition in attached)
        assert step.table_partition or step.name not in {table_partition.name for table_partition in partitions}
    settled = {step.month for step in steps if step.kind is not StepKind.EXPIRE}
    assert {this_month.plus(number) for number in range(rules.months_ahead + 1)} <= settled


def carried_out(steps: list[Step]) -> list[TablePartition]:
    """The catalogue after the plan was executed."""
    left: list[TablePartition] = []
    for step in steps:
        if step.month and step.kind in {StepKind.CREATE, StepKind.KEEP, StepKind.FINALIZE} and not step.drops:
            left.append(part(step.month))
        elif step.table_partition and step.kind is StepKind.CONFLICT:
            left.append(step.table_partition)
    return left


@given(CATALOGUES, ALL_RULES, DAYS)
def test_an_executed_plan_leaves_nothing_to_do(partitions: list[TablePartition], rules: MaintenanceRules, day: date) -> None:
    steps = plan(*carried_out(plan(*partitions, rules=rules, day=day)), rules=rules, day=day)
    assert {step.kind for step in steps} <= {StepKind.KEEP, StepKind.CONFLICT, StepKind.EXPIRE}
    assert len(months(steps, StepKind.EXPIRE)) <= 1  # the former last part may expire once the coming months exist


def test_a_month_whose_days_are_overdue_is_pruned_unless_it_is_held_or_goes_as_a_whole() -> None:
    name = AGGREGATION_TABLES[0]
    old, kept, gone = Month(2025, 10), Month(2025, 11), Month(2021, 10)
    parts = [part(month, table_name=name) for month in (gone, old, kept)]
    with_days = {(name, month) for month in (gone, old, kept)}

    def kinds(held: dict[Month, str]) -> dict[Month | None, StepKind]:
        steps = plan_maintenance(parts, RULES, TODAY, held=held, with_days=with_days)
        return {step.month: step.kind for step in steps if step.table_name == name and step.table_partition}

    assert kinds({}) == {gone: StepKind.EXPIRE, old: StepKind.PRUNE, kept: StepKind.KEEP}
    assert kinds({old: "its month is not computed"}) == {gone: StepKind.EXPIRE, old: StepKind.KEEP, kept: StepKind.KEEP}
    steps = plan_maintenance(parts, RULES, TODAY, with_days=with_days)
    assert [step.month for step in expired_by(steps)] == [gone, old]
    assert [step.month for step in dropped_by(steps)] == [gone]
