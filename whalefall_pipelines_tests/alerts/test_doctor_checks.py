"""The doctor's checks of alerts: nights that stop are a problem for as long as they are missing, whoever else is silent."""

from datetime import UTC, datetime, timedelta

from whalefall_pipelines.alerts.doctor_checks import check
from whalefall_pipelines.doctor.examined import Examined, Installation
from whalefall_pipelines.doctor.outcome import Severity
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.alerts.scene import GIB, Nights, at
from whalefall_pipelines_tests.factories import query, register


def problems(store: Database, environment: dict[str, str], now: datetime) -> list[str]:
    installation = Installation(load_settings(environment), clock=lambda: now)
    return [outcome.sentence for outcome in check(Examined(installation, store, None)) if outcome.severity is Severity.PROBLEM]


def test_nights_that_stop_are_a_problem_and_stay_one(store: Database, store_environment: dict[str, str]) -> None:
    nights = Nights(store, ("a",), day=datetime.now(UTC).date())
    nights.night({"a": {"orders": 10 * GIB}})
    evaluated = nights.morning()
    assert evaluated.day == nights.day
    next_day = nights.day + timedelta(days=1)
    assert problems(store, store_environment, at(next_day, 6)) == []
    assert problems(store, store_environment, at(next_day, 7)) == [
        f"the last closed day is {nights.day}, although every night is to be over by 07:00."
    ]
    assert problems(store, store_environment, at(nights.day + timedelta(days=60))) == ["no day was closed in the last two weeks."]


def test_closed_days_that_nobody_evaluates_are_a_problem(store: Database, store_environment: dict[str, str]) -> None:
    nights = Nights(store, ("a",), day=datetime.now(UTC).date())
    nights.night({"a": {"orders": 10 * GIB}})
    assert problems(store, store_environment, at(nights.day + timedelta(days=2)))[0] == (
        f"the alert rules were never evaluated, although {nights.day} is closed."
    )


def test_a_fleet_that_was_never_collected_is_a_problem_from_its_third_day(store: Database, store_environment: dict[str, str]) -> None:
    now = datetime.now(UTC)
    assert problems(store, store_environment, now + timedelta(days=60)) == []
    register(store, "a")
    query(store, "update instance_activity set active_from = %s returning 1", now.date())
    assert problems(store, store_environment, now) == []
    assert problems(store, store_environment, now + timedelta(days=3)) == ["no day has been closed since the first server was registered."]
