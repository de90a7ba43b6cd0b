"""The conditions that read forecasts, changes, gaps and accounts find what is stored, and what they find opens an alert."""

from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.alerts.evaluate import what_is_met
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing
from whalefall_pipelines_tests.alerts.scene import GIB, Nights
from whalefall_pipelines_tests.factories import query


@pytest.fixture
def nights(store: Database) -> Nights:
    query(store, "update alert_rules set is_active = false where condition in ('partitions_ahead', 'headroom') returning 1")
    return Nights(store, ("a", "b", "c"))


def night(nights: Nights) -> None:
    nights.night({name: {"app": 800 * GIB if name == "a" else GIB} for name in nights.names})


def forecast(nights: Nights, *points: int, state: str = "ok") -> None:
    """A forecast of the server `a` in 7, 30 and 90 days, in GiB."""
    for horizon, point in zip((7, 30, 90), points, strict=True):
        query(
            nights.store,
            "insert into capacity_forecasts (instance_id, made_on, horizon_days, origin, code_version, model, state, base_bytes, "
            "point_bytes, known_days, matured, error, skill, candidate_bytes) "
            "values (%s, %s, %s, 'issued', 1, 'last', %s, %s, %s, 100, 20, 0.01, 0.2, '{}') returning 1",
            nights.ids["a"], nights.day, horizon, state, 800 * GIB, point * GIB,
        )  # fmt: skip


def test_a_runway_opens_and_stays_open_without_a_date(nights: Nights) -> None:
    statuses: list[tuple[object, ...]] = []
    for state in ("ok", "ok", "too_rough", "too_rough", "too_rough", "too_rough"):
        night(nights)
        # 10 GiB a day: the 200 GiB that are left last 20 days
        forecast(nights, 870, 1100, 1700, state=state)
        nights.morning()
        statuses += [alert for alert in nights.alerts() if alert[0] == "runway"]
    assert statuses == [("runway", "a", "pending", "warning"), *[("runway", "a", "open", "warning")] * 5]
    ((days,),) = query(nights.store, "select figures -> 'p50_days' from alert_events where event = 'opened'")
    assert days == 20


def test_one_more_jump_would_not_fit(nights: Nights) -> None:
    for _ in range(2):
        night(nights)
        forecast(nights, 800, 800, 800, state="flat")
        if not query(nights.store, "select 1 from capacity_changes"):
            query(
                nights.store,
                "insert into capacity_changes (instance_id, kind, from_date, to_date, known_on, change_bytes) "
                "values (%s, 'step', %s, %s, %s, %s) returning 1",
                nights.ids["a"], nights.day - timedelta(days=90), nights.day - timedelta(days=89), nights.day, 300 * GIB,
            )  # fmt: skip
        nights.morning()
    assert ("jump_room", "a", "open", "warning") in nights.alerts()


def test_a_rejected_login_is_told_once_and_over_when_it_is_accepted(nights: Nights) -> None:
    nights.add_channel()
    for is_rejected in (False, True, True, False):
        night(nights)
        if is_rejected:
            query(
                nights.store,
                "insert into capacity_gaps (instance_id, stat_date, reason, detail) "
                "values (%s, %s, 'authentication_failed', 'x') returning 1",
                nights.ids["b"], nights.day,
            )  # fmt: skip
        nights.morning()
    assert [kind for kind, subject in nights.messages() if "login" in str(subject)] == ["opened", "reminder", "cleared"]


def test_intervals_that_do_not_hold_are_news(nights: Nights) -> None:
    night(nights)
    made_on = nights.day - timedelta(days=30)
    ensure_months(nights.store, [made_on])
    query(
        nights.store,
        "insert into capacity_forecast_scores (instance_id, database_id, made_on, horizon_days, target_date, origin, base_bytes, "
        "point_bytes, lower_80_bytes, upper_80_bytes, actual_bytes, residual, matured, errors) "
        "select %s, n, %s, 30, %s, 'issued', 100, 100, 90, 110, case when n <= 10 then 100 else 200 end, 0, 1, '{}' "
        "from generate_series(1, 30) as n returning 1",
        nights.ids["a"], made_on, nights.day,
    )  # fmt: skip
    nights.morning()
    assert ("forecast_unreliable", None, "open", "info") in nights.alerts()


def test_a_new_superuser_and_a_new_class_are_found_with_their_names(store: Database, tmp_path: Path) -> None:
    fleet = AccountsTest(store, tmp_path)
    fleet.hold(listing(account("eve"), account("app")), facts())
    fleet.sync()
    conditions = ("privileged_account", "class_changed")
    assert what_is_met(store, conditions, fleet.day, fleet.now) == ()
    fleet.tomorrow()
    fleet.hold(listing(account("eve", is_superuser=True), account("app")), facts())
    fleet.sync()
    query(
        store,
        "insert into account_classifications (code, display_name, axis, risk_level) values ('writers', 'Writers', 'power', 3); "
        "insert into classification_rules (rule_group_id, rule_version, rule_name, classification_id, engine, expression, origin, "
        "created_by, created_at) select gen_random_uuid(), 1, 'writes', classification_id, 'postgresql', "
        """'{"version": 4, "expr": {}}', 'person', 'me', '2026-01-01' from account_classifications; """
        "insert into account_classification_assignments (account_id, classification_id, rule_id, rule_version, assignment_type, "
        "assigned_by, valid_from) select a.account_id, r.classification_id, r.rule_id, 1, 'auto', 'rule', %s "
        "from classification_rules as r, instance_accounts as a where a.account_name = 'app' returning 1",
        fleet.day,
    )
    met = {found.rule_name: found for found in what_is_met(store, conditions, fleet.day, fleet.now)}
    assert (met["privileged_account"].subject, met["privileged_account"].severity) == ("a", "warning")
    assert met["privileged_account"].sentence.endswith(": eve")
    assert met["class_changed"].sentence == "1 account came into classes and 0 left (writers)"
