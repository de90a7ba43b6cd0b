"""Aggregations follow their days: exactly the periods of a changed day are requested, and no change is lost, whenever it arrives."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.test_utils import create_run_for_test

from whalefall_pipelines.aggregation.assets import asset_key
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.capacity.assets import SIZES, TOTALS
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.domain.periods import PeriodType, floor

TODAY = date.fromisoformat(str(defs.resolve_asset_graph().get(SIZES).partitions_def.get_last_partition_key()))
OLD = TODAY - timedelta(days=100)
Asked = set[tuple[str, str]]


def periods_of(day: date) -> Asked:
    return {(asset_key(level, period_type).to_user_string(), str(floor(period_type, day))) for level in Level for period_type in PeriodType}


@dataclass
class Automation:
    """The automation sensor on its own Dagster instance, with days and aggregation runs simulated event by event."""

    instance: dg.DagsterInstance
    cursor: object = None
    runs: dict[Level, str] = field(default_factory=dict)

    def tick(self) -> Asked:
        """One evaluation; returns what it requests."""
        result = dg.evaluate_automation_conditions(
            defs,
            self.instance,
            asset_selection=dg.AssetSelection.groups("database_aggregations", "instance_aggregations"),
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        return {
            (key.to_user_string(), str(partition))
            for key in defs.resolve_asset_graph().get_all_asset_keys()
            for partition in result.get_requested_partitions(key)
        }

    def collect(self, day: date) -> None:
        """A day is written and its materialization is reported."""
        for key in (SIZES, TOTALS):
            self.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=str(day)))

    def start(self, period_type: PeriodType, day: date) -> str:
        """Start a run that computes the period of a day."""
        partition = str(floor(period_type, day))
        keys = [asset_key(level, period_type) for level in Level]
        run = create_run_for_test(
            self.instance,
            job_name="aggregate",
            asset_selection=frozenset(keys),
            tags={"dagster/partition": partition},
            status=dg.DagsterRunStatus.STARTED,
        )
        for key in keys:
            planned = AssetMaterializationPlannedData(key, partition=partition)
            self.instance.report_dagster_event(
                DagsterEvent.build_asset_materialization_planned_event("aggregate", "step", planned), run_id=run.run_id
            )
        return run.run_id

    def end(self, run_id: str, period_type: PeriodType, day: date, *, fails: bool = False) -> None:
        """End that run."""
        if not fails:
            for level in Level:
                materialization = dg.AssetMaterialization(asset_key(level, period_type), partition=str(floor(period_type, day)))
                self.instance.report_dagster_event(
                    DagsterEvent(
                        DagsterEventType.ASSET_MATERIALIZATION.value,
                        "aggregate",
                        event_specific_data=StepMaterializationData(materialization),
                    ),
                    run_id=run_id,
                )
        kind = DagsterEventType.PIPELINE_FAILURE if fails else DagsterEventType.PIPELINE_SUCCESS
        self.instance.report_dagster_event(DagsterEvent(kind.value, "aggregate"), run_id=run_id)

    def settle(self, asked: Asked) -> None:
        """Compute everything that was requested immediately."""
        for name, partition in asked:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(name.split("/")), partition=partition))


@pytest.fixture
def automation() -> Iterator[Automation]:
    with dg.DagsterInstance.ephemeral() as instance:
        made = Automation(instance)
        assert made.tick() == set()
        yield made


@pytest.mark.parametrize("day", [TODAY, OLD], ids=["today", "an old day"])
def test_a_collected_day_requests_exactly_its_four_periods_at_both_levels_once(automation: Automation, day: date) -> None:
    automation.collect(day)
    asked = automation.tick()
    assert asked == periods_of(day)
    automation.settle(asked)
    assert automation.tick() == set()


def test_history_from_before_the_first_tick_requests_nothing() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        automation = Automation(instance)
        automation.collect(OLD)
        assert automation.tick() == set()
        assert automation.tick() == set()


def test_a_gap_in_the_month_delays_nothing(automation: Automation) -> None:
    for day in (OLD, OLD + timedelta(days=2)):
        automation.collect(day)
        asked = automation.tick()
        assert asked == periods_of(day)
        automation.settle(asked)


def daily(day: date) -> Asked:
    return {period for period in periods_of(day) if period[0].endswith("/daily")}


def begin(automation: Automation) -> str:
    """A day was collected, everything was requested, and only the daily run is in progress."""
    automation.collect(OLD)
    asked = automation.tick()
    automation.settle({period for period in asked if not period[0].endswith("/daily")})
    run_id = automation.start(PeriodType.DAILY, OLD)
    automation.tick()
    return run_id


def asked_soon(automation: Automation) -> Asked:
    """What the next ticks request together."""
    return automation.tick() | automation.tick() | automation.tick()


def test_a_change_while_the_aggregation_runs_is_not_lost(automation: Automation) -> None:
    run_id = begin(automation)
    automation.collect(OLD)
    assert not automation.tick() & daily(OLD)  # the run is in progress
    automation.end(run_id, PeriodType.DAILY, OLD)
    assert asked_soon(automation) >= daily(OLD)


def test_a_change_in_the_tick_of_its_start_is_not_lost(automation: Automation) -> None:
    automation.collect(OLD)
    automation.settle({period for period in automation.tick() if not period[0].endswith("/daily")})
    run_id = automation.start(PeriodType.DAILY, OLD)
    automation.collect(OLD)
    automation.tick()
    automation.end(run_id, PeriodType.DAILY, OLD)
    assert asked_soon(automation) >= daily(OLD)


def test_a_change_in_the_tick_of_its_end_is_not_lost(automation: Automation) -> None:
    run_id = begin(automation)
    automation.end(run_id, PeriodType.DAILY, OLD)
    automation.collect(OLD)
    assert asked_soon(automation) >= daily(OLD)


def test_a_change_during_a_run_that_ends_in_the_same_tick_is_not_lost(automation: Automation) -> None:
    run_id = begin(automation)
    automation.collect(OLD)
    automation.end(run_id, PeriodType.DAILY, OLD)
    assert asked_soon(automation) >= daily(OLD)


def test_nothing_is_computed_while_its_day_is_being_collected_again(automation: Automation) -> None:
    automation.collect(OLD)
    run = create_run_for_test(
        automation.instance,
        job_name="collect_capacity",
        asset_selection=frozenset([SIZES, TOTALS]),
        tags={"dagster/partition": str(OLD)},
        status=dg.DagsterRunStatus.STARTED,
    )
    for key in (SIZES, TOTALS):
        planned = AssetMaterializationPlannedData(key, partition=str(OLD))
        automation.instance.report_dagster_event(
            DagsterEvent.build_asset_materialization_planned_event("collect_capacity", "step", planned), run_id=run.run_id
        )
    assert automation.tick() == set()
    automation.collect(OLD)
    automation.instance.report_dagster_event(DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, "collect_capacity"), run_id=run.run_id)
    assert asked_soon(automation) == periods_of(OLD)
