"""Rules over a real store: what each condition finds, when a day is evaluated, and that no crash loses or doubles anything."""

from datetime import timedelta

import pytest

from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.evaluate import evaluate, last_closed_day
from whalefall_pipelines.alerts.handle import Selected, list_alerts
from whalefall_pipelines.alerts.settings import AlertSettings
from whalefall_pipelines.errors import StoreError
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.alerts.scene import FIRST_DAY, GIB, Nights, at
from whalefall_pipelines_tests.factories import query

SMALL = 100 * GIB


@pytest.fixture
def nights(store: Database) -> Nights:
    nights = Nights(store, ("a", "b", "c"))
    # months ahead and the age of the store have a test of their own
    query(store, "update alert_rules set is_active = false where condition = 'partitions_ahead' returning 1")
    return nights


def night(nights: Nights, **sizes: int | None) -> None:
    """A night of three servers with one database each."""
    nights.night({name: {"app": sizes.get(name, SMALL)} for name in nights.names})


def test_every_condition_has_a_rule_and_a_quiet_fleet_has_no_alert(nights: Nights) -> None:
    assert {str(name) for (name,) in query(nights.store, "select condition from alert_rules")} == set(CONDITIONS)
    for _ in range(3):
        night(nights)
        assert nights.morning().changed == 0
    assert nights.alerts() == []


def test_a_day_is_evaluated_once_when_it_is_closed(nights: Nights) -> None:
    night(nights)
    assert nights.morning(6).day is None  # its forecasts are made at 06:00
    nights.session("forecast", is_over=False)
    assert nights.morning().day is None
    query(nights.store, "update sync_sessions set status = 'completed', completed_at = now() where status = 'running' returning 1")
    assert nights.morning().day == nights.day
    assert nights.morning().day is None
    closed = last_closed_day(nights.store, at(nights.day))
    assert closed is not None
    assert (closed.day, closed.closed_at) == (nights.day, at(nights.day, 4))


def test_headroom_opens_on_the_second_day_and_clears_on_the_third(nights: Nights) -> None:
    nights.add_channel()
    statuses = []
    for size in (870, 870, 790, 790, 860, 790, 790, 790):
        night(nights, a=size * GIB)
        nights.morning()
        statuses += [alert[2] for alert in nights.alerts() if alert[0] == "headroom"]
    assert statuses == ["pending", *["open"] * 6, "cleared"]
    kinds = [kind for kind, subject in nights.messages() if "full" in str(subject)]
    assert kinds == ["opened", "reminder", "reminder", "cleared"]


def test_a_day_that_is_missing_neither_opens_nor_clears(nights: Nights) -> None:
    for size in (870, None, 870, None, None, 100, None, 100, 100):
        night(nights, a=size and size * GIB)
        nights.morning()
    events = query(
        nights.store,
        "select e.day - %s, e.event from alert_events as e join alerts as a using (alert_id) join alert_rules as r using (rule_id) "
        "where r.rule_name = 'headroom' order by e.event_id",
        FIRST_DAY,
    )
    assert events == [(1, "pending"), (3, "opened"), (9, "cleared")]


def test_a_jump_is_told_in_the_morning_after_it(nights: Nights) -> None:
    nights.add_channel()
    for size in (100, 100, 150, 150, 200):
        night(nights, b=size * GIB)
        nights.morning()
    jumps = [(kind, subject) for kind, subject in nights.messages() if "larger" in str(subject)]
    assert jumps == [
        ("opened", "INFO: b/app: 53.7 GB larger on 2026-11-05 than on 2026-11-04 (107.4 GB → 161.1 GB)"),
        ("again", "INFO AGAIN: b/app: 53.7 GB larger on 2026-11-07 than on 2026-11-06 (161.1 GB → 214.7 GB)"),
    ]


def test_a_jump_that_a_retry_measured_after_the_evaluation_is_told_on_the_next_morning(nights: Nights) -> None:
    night(nights)
    nights.morning()
    night(nights, b=None)
    nights.morning()
    query(nights.store, "delete from capacity_gaps returning 1")
    query(
        nights.store,
        "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
        "values (%s, 'app', %s, %s, now(), 'measured', 'test') returning 1",
        nights.ids["b"], nights.day, 2 * SMALL,
    )  # fmt: skip
    night(nights, b=2 * SMALL)
    nights.morning()
    assert ("step", "b", "open", "info") in nights.alerts()


def test_a_loss_a_hole_and_a_silent_server(nights: Nights) -> None:
    for number in range(5):
        sizes: dict[str, dict[str, int | None]] = {"a": {"app": SMALL if number < 3 else SMALL // 2}, "b": {"app": SMALL}, "c": {}}
        if number == 0:
            sizes["c"] = {"app": SMALL}
        if number < 2:
            sizes["b"]["old"] = GIB
        nights.night(sizes, forget="old" if number == 2 else "")
        nights.morning()
    assert nights.alerts() == [
        ("shrink", "a", "open", "warning"),
        ("vanished", "b", "open", "warning"),
        ("coverage", None, "open", "critical"),
        ("missing_days", "c", "open", "warning"),
    ]


def test_the_collector_is_stale_without_a_closed_day(nights: Nights) -> None:
    night(nights)
    nights.morning()
    nights.day += timedelta(days=1)
    assert nights.morning(5).changed == 0
    assert nights.morning(6).changed == 1
    assert nights.alerts() == [("collector_stale", None, "open", "critical")]
    nights.day -= timedelta(days=1)
    night(nights)
    nights.morning()
    assert nights.alerts() == [("collector_stale", None, "cleared", "critical")]


def test_sessions_months_and_disk(nights: Nights) -> None:
    query(nights.store, "update alert_rules set is_active = true returning 1")
    query(nights.store, "update installation set created_at = '2026-01-01' returning 1")
    night(nights)
    nights.session("tables", is_over=False)
    query(nights.store, "insert into footprints values (%s, 'sizes', %s), (%s, 'events', 1) returning 1", nights.day, 60 * GIB, nights.day)
    nights.morning()
    assert nights.alerts() == [
        ("unfinished_sessions", None, "open", "warning"),
        ("partitions_ahead", None, "open", "warning"),
        ("footprint", None, "open", "warning"),
    ]


def test_thresholds_by_tag_and_a_rule_that_is_switched_off(nights: Nights) -> None:
    query(nights.store, "update instances set tags = '{\"environment\": \"test\"}' where name = 'a' returning 1")
    query(
        nights.store,
        "insert into alert_rules (rule_name, condition, tags, thresholds) values "
        "('headroom of tests', 'headroom', '{\"environment\": \"test\"}', '{\"warning_percent\": 95}') returning 1",
    )
    for _ in range(2):
        night(nights, a=900 * GIB, b=900 * GIB)
        nights.morning()
    assert ("headroom", "b", "open", "warning") in nights.alerts()
    assert not [alert for alert in nights.alerts() if alert[0] in {"headroom", "headroom of tests"} and alert[1] == "a"]
    query(nights.store, "update alert_rules set is_active = false where rule_name = 'headroom' returning 1")
    night(nights, a=900 * GIB, b=900 * GIB)
    nights.morning()
    assert ("headroom", "b", "cleared", "warning") in nights.alerts()


def test_the_store_refuses_other_transitions(nights: Nights) -> None:
    for _ in range(2):
        night(nights, a=900 * GIB)
        nights.morning()
    with pytest.raises(StoreError, match="cannot move from open to pending"):
        query(nights.store, "update alerts set status = 'pending' where status = 'open' returning 1")
    with pytest.raises(StoreError, match="starts as pending"):
        query(
            nights.store,
            "insert into alerts (rule_id, status, severity, peak_severity, opened_on) "
            "values (1, 'open', 'info', 'info', now()) returning 1",
        )


TABLES = ("alert_evaluations", "alerts", "alert_events", "alert_outbox", "alert_notices")


@pytest.mark.parametrize("table", TABLES)
def test_a_crash_at_any_statement_leaves_nothing_and_doubles_nothing(nights: Nights, table: str) -> None:
    """The writes of an evaluation are refused one after the other; then it is evaluated again."""
    nights.add_channel()
    night(nights, a=900 * GIB)
    nights.morning()
    night(nights, a=900 * GIB)
    before = nights.alerts()
    with nights.store.transaction() as cursor:
        cursor.execute("create function refuse() returns trigger language plpgsql as $$ begin raise exception 'crash'; end $$")
        cursor.execute(f"create trigger crash before insert or update on {table} for each statement execute function refuse()")
    with pytest.raises(StoreError, match="crash"):
        nights.morning()
    assert nights.alerts() == before
    assert [message for message in nights.messages() if "full" in str(message[1])] == []
    query(nights.store, f"drop trigger crash on {table}; select 1")
    evaluate(nights.store, AlertSettings.model_validate({}), at(nights.day))
    evaluate(nights.store, AlertSettings.model_validate({}), at(nights.day, 9))
    assert [kind for kind, subject in nights.messages() if "full" in str(subject)] == ["opened"]


def test_alerts_are_listed_the_most_urgent_first_and_pages_lead_through_all_of_them(nights: Nights) -> None:
    for used in ((900, 500, 500), (900, 970, 500), (900, 970, 900)):
        night(nights, **dict(zip("abc", (gib * GIB for gib in used), strict=True)))
        nights.morning()
    now = at(nights.day)
    listed = list_alerts(nights.store, now, Selected(with_all=True))
    about = [(alert.instance_name, alert.status, alert.severity) for alert in listed if alert.condition == "headroom"]
    assert about == [("b", "open", "critical"), ("a", "open", "warning"), ("c", "pending", "warning")]
    pages, after_id = [], None
    while page := list_alerts(nights.store, now, Selected(with_all=True, after_id=after_id, most=1)):
        pages += page
        after_id = page[-1].alert_id
    assert tuple(pages) == listed
    assert [alert.alert_id for alert in list_alerts(nights.store, now, Selected(most=1, skipped=1))] == [listed[1].alert_id]
