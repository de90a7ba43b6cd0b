"""A month of sizes does not expire before its periods are computed, on real PostgreSQL 15 and 18."""

import re
from datetime import date

import pytest

from whalefall_pipelines.aggregation.aggregate import find_stale_periods
from whalefall_pipelines.aggregation.model import first_kept_daily
from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.months import Month, months_between
from whalefall_pipelines.domain.periods import Period, PeriodType, period_of, periods_between
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.retention.maintain_table_partitions import expire_table_partitions, plan
from whalefall_pipelines.retention.maintenance import Step, StepKind
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.days import compute_periods, write_days
from whalefall_pipelines_tests.factories import changed, query, register

SETTINGS = load_settings({"WHALEFALL_HOME": "/nonexistent"})
# October 2025 is the only overdue month on this day; its quarter and its last week continue in November.
TODAY = date(2026, 11, 22)
FIRST = date(2025, 10, 1)
OCTOBER = Month(2025, 10)


@pytest.fixture
def store(maintenance_store: Database) -> Database:
    """Ten weeks of one database from October on, and no period computed from them."""
    (instance,) = register(maintenance_store, "a")
    days = days_from(FIRST, 70)
    write_days(maintenance_store, {((instance.instance_id, "app"), day): ModelDay(1000 + number) for number, day in enumerate(days)})
    ensure_months(maintenance_store, [TODAY])
    return maintenance_store


def compute_everything(store: Database) -> None:
    for period_type in PeriodType:
        compute_periods(store, periods_between(period_type, FIRST, date(2025, 12, 31)), TODAY)


def held(store: Database, today: date = TODAY) -> list[Step]:
    return [step for step in plan(store, SETTINGS, today) if step.kind is StepKind.HOLD]


def dropped(store: Database) -> list[str]:
    return sorted(outcome.step.name for outcome in expire_table_partitions(store, SETTINGS, TODAY).outcomes if not outcome.error)


def what_is_told(step: Step) -> list[tuple[PeriodType, date, date]]:
    """The commands that a held step suggests, as they would be executed."""
    commands = re.findall(r"`whalefall aggregate --period (\w+) --start (\S+) --end (\S+)`", step.why)
    return [(PeriodType(period_type), date.fromisoformat(first), date.fromisoformat(last)) for period_type, first, last in commands]


def test_a_month_whose_periods_were_never_computed_is_held_and_says_what_to_do(store: Database) -> None:
    steps = held(store)
    assert [step.name for step in steps] == [OCTOBER.table_partition(table_name) for table_name in STATS_TABLES]
    assert what_is_told(steps[0]) == [
        (PeriodType.DAILY, date(2025, 10, 31), date(2025, 10, 31)),
        (PeriodType.WEEKLY, date(2025, 9, 29), date(2025, 10, 27)),
        (PeriodType.MONTHLY, date(2025, 10, 1), date(2025, 10, 1)),
        (PeriodType.QUARTERLY, date(2025, 10, 1), date(2025, 10, 1)),
    ]
    outcomes = expire_table_partitions(store, SETTINGS, TODAY).outcomes
    assert {type(outcome.error) for outcome in outcomes} == {InputError}
    assert all("is kept: it is overdue" in str(outcome.error) for outcome in outcomes)
    assert query(store, "select min(stat_date) from database_size_stats") == [(FIRST,)]


def test_the_suggested_commands_are_sufficient(store: Database) -> None:
    for period_type, first, last in what_is_told(held(store)[0]):
        compute_periods(store, periods_between(period_type, first, last), TODAY)
    assert held(store) == []
    assert dropped(store) == sorted(OCTOBER.table_partition(table_name) for table_name in STATS_TABLES)
    assert query(store, "select count(*) from database_size_aggregations where period_type = 'monthly'") == [(1,)]


@pytest.mark.parametrize("period_type", PeriodType)
@pytest.mark.parametrize("level", ["database", "instance"])
def test_one_missing_period_at_one_level_is_enough(store: Database, period_type: PeriodType, level: str) -> None:
    compute_everything(store)
    assert held(store) == []
    period = period_of(period_type, date(2025, 10, 31))
    query(
        store, f"delete from {level}_size_aggregations where period_type = %s and period_start = %s returning 1", period_type, period.start
    )
    assert what_is_told(held(store)[0]) == [(period_type, period.start, period.start)]
    assert dropped(store) == []


def test_a_day_that_changed_after_its_periods_were_computed_holds_its_month_and_one_of_another_quarter_does_not(store: Database) -> None:
    compute_everything(store)
    query(store, "update database_size_stats set total_bytes = 1 where stat_date = '2025-12-09' returning 1")
    assert [command[0] for command in what_is_told(held(store)[0])] == [PeriodType.QUARTERLY]  # which contains October
    query(store, "update database_size_stats set total_bytes = 1 where stat_date = '2025-10-05' returning 1")
    assert [command[:2] for command in what_is_told(held(store)[0])] == [
        (PeriodType.WEEKLY, date(2025, 9, 29)),
        (PeriodType.MONTHLY, date(2025, 10, 1)),
        (PeriodType.QUARTERLY, date(2025, 10, 1)),
    ]


def test_the_later_months_of_a_quarter_go_though_the_quarter_can_be_computed_no_more(store: Database) -> None:
    compute_everything(store)
    dropped(store)
    assert held(store, date(2026, 12, 1)) == []
    query(store, "delete from database_size_aggregations where period_type = 'quarterly' returning 1")
    for period_type, first, last in what_is_told(held(store, date(2026, 12, 1))[0]):
        compute_periods(store, periods_between(period_type, first, last), TODAY)
    assert held(store, date(2026, 12, 1)) == []  # it never waits for the impossible


def test_periods_that_aggregations_do_not_keep_hold_nothing(store: Database) -> None:
    short = changed(SETTINGS, KeptMonthsSettings, aggregation_retention_months=12)
    assert [step.kind for step in plan(store, short, TODAY) if step.month == OCTOBER] == [StepKind.EXPIRE] * 2


def stale_periods(store: Database, period_type: PeriodType, settings: Settings, today: date) -> list[Period]:
    """As the nightly schedule queries them."""
    return find_stale_periods(
        store, period_type, today, daily_from=first_kept_daily(settings.of(KeptMonthsSettings).retention_months, today)
    )


def stale_after_expiries(store: Database, settings: Settings) -> set[PeriodType]:
    """The types of period that would be recomputed every night although nothing changed, while days and periods expire for five months."""
    (instance,) = register(store, "a")
    days = days_from(FIRST, 274)  # to the end of June
    write_days(store, {((instance.instance_id, "app"), day): ModelDay(1000 + number) for number, day in enumerate(days)})
    stale: set[PeriodType] = set()
    for month in months_between(Month(2026, 3), Month(2026, 7)):
        for period_type in PeriodType:
            if periods := stale_periods(store, period_type, settings, month.first_day):
                compute_periods(store, list(periods_between(period_type, periods[0].start, periods[-1].start)), month.first_day)
        assert not expire_table_partitions(store, settings, month.first_day).error
        stale |= {period_type for period_type in PeriodType if stale_periods(store, period_type, settings, month.first_day)}
    return stale


LEAST = load_settings({"WHALEFALL_HOME": "/nonexistent", "WHALEFALL_RETENTION_MONTHS": "3", "WHALEFALL_AGGREGATION_RETENTION_MONTHS": "6"})


def test_with_the_least_retentions_nothing_is_computed_from_what_expiry_left(maintenance_store: Database) -> None:
    assert stale_after_expiries(maintenance_store, LEAST) == set()
    assert query(maintenance_store, "select count(*) from database_size_aggregations where period_type = 'daily' and data_count = 0") == [
        (0,)
    ]


def test_periods_that_expire_a_month_earlier_would_be_computed_again_every_night(maintenance_store: Database) -> None:
    kept = LEAST.of(KeptMonthsSettings).model_copy(update={"aggregation_retention_months": 5})
    assert PeriodType.QUARTERLY in stale_after_expiries(maintenance_store, LEAST.with_group(kept))
