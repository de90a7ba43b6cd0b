"""Conditions, states and what is told: properties that hold for any days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.alerts.advance import acknowledge, advance, claims
from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.model import (
    CLEAR,
    UNKNOWN,
    Alert,
    Blackout,
    Channel,
    Event,
    Kind,
    Mute,
    Notice,
    Observation,
    Rule,
    Severity,
    Status,
    Subject,
)
from whalefall_pipelines.alerts.notify import Circumstances, notice_after, plan_messages
from whalefall_pipelines.alerts.windows import is_within, parse_cron
from whalefall_pipelines.errors import InputError

DAY = date(2027, 1, 1)
NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
NEAR = Observation(is_near=True)
WARNING, CRITICAL = (Observation(is_near=True, severity=severity) for severity in (Severity.WARNING, Severity.CRITICAL))
OBSERVATIONS = st.lists(st.sampled_from([CLEAR, UNKNOWN, NEAR, WARNING, CRITICAL]), max_size=40)
HEADROOM, RUNWAY = CONDITIONS["headroom"], CONDITIONS["runway"]
# Written apart from `sync_state_moves`.
MOVES = {
    ("pending", "open"),
    ("pending", "cleared"),
    ("open", "cleared"),
    ("open", "acknowledged"),
    ("acknowledged", "open"),
    ("acknowledged", "cleared"),
    ("cleared", "pending"),
    ("cleared", "open"),  # through pending, on one day
}
OPS = Channel(1, "ops", "webhook", "env:X")
TAGS = {number: {"environment": "test" if number % 2 else "production"} for number in range(1, 41)}
AT_NOON = Circumstances(NOON, TAGS)


def lived(observations: Sequence[Observation], condition: str = "runway") -> list[tuple[Alert, tuple[Event, ...]]]:
    return lived_on(list(enumerate(observations)), condition)


def lived_on(days: Sequence[tuple[int, Observation]], condition: str = "runway") -> list[tuple[Alert, tuple[Event, ...]]]:
    alert, after = Alert(1, Subject(1), alert_id=1), []
    for number, observation in days:
        chosen = CONDITIONS[condition]
        alert, events = advance(alert, observation, chosen, chosen.values({}), DAY + timedelta(days=number))
        after.append((alert, events))
    return after


@given(OBSERVATIONS)
def test_states_move_only_along_the_arrows(observations: list[Observation]) -> None:
    statuses = ["cleared", *(str(alert.status) for alert, _ in lived(observations))]
    assert {(before, after) for before, after in pairwise(statuses) if before != after} <= MOVES


@given(OBSERVATIONS)
def test_a_day_of_which_nothing_is_known_changes_nothing(observations: list[Observation]) -> None:
    days = list(enumerate(observations))
    known = [(number, observation) for number, observation in days if observation.is_known]
    told = [(number, events) for (number, _), (_, events) in zip(days, lived_on(days), strict=True) if events]
    expected = [(number, events) for (number, _), (_, events) in zip(known, lived_on(known), strict=True) if events]
    assert told == expected


@given(OBSERVATIONS)
def test_it_opens_on_two_days_in_a_row_and_clears_on_three(observations: list[Observation]) -> None:
    days = lived(observations)
    for number, (_, events) in enumerate(days):
        known = [observation for observation in observations[: number + 1] if observation.is_known]
        if {Event.OPENED, Event.REOPENED} & set(events):
            assert all(observation.severity for observation in known[-2:])
            assert len(known) >= 2
        if Event.CLEARED in events:
            assert known[-3:] == [CLEAR] * 3


def test_what_is_near_neither_opens_nor_clears() -> None:
    days = lived([NEAR, WARNING, NEAR, WARNING, WARNING, NEAR, CLEAR, CLEAR, NEAR, CLEAR, CLEAR, CLEAR])
    events = [(number, event) for number, (_, events) in enumerate(days) for event in events]
    assert events == [
        (1, Event.PENDING), (2, Event.DROPPED), (3, Event.PENDING), (4, Event.OPENED), (11, Event.CLEARED),
    ]  # fmt: skip


def test_what_flaps_stays_open_for_longer() -> None:
    days = lived([WARNING, WARNING, CLEAR, CLEAR, CLEAR, WARNING, WARNING, *[CLEAR] * 6])
    assert [number for number, (_, events) in enumerate(days) if Event.REOPENED in events] == [6]
    assert [number for number, (_, events) in enumerate(days) if Event.CLEARED in events] == [4, 12]


def test_a_full_disk_opens_at_once() -> None:
    assert lived([CRITICAL], "headroom")[0][1] == (Event.PENDING, Event.OPENED)


def test_a_severity_rises_once_and_lifts_the_acknowledgement() -> None:
    alert, _ = lived([WARNING, WARNING])[-1]
    seen = acknowledge(alert, "dba", "ordered a disk", None)
    worse, events = advance(seen, CRITICAL, RUNWAY, RUNWAY.values({}), DAY)
    assert (worse.status, worse.acknowledged_by, events) == (Status.OPEN, None, (Event.WORSE,))
    fallen, events = advance(worse, WARNING, RUNWAY, RUNWAY.values({}), DAY)
    assert (fallen.severity, events) == (Severity.WARNING, ())
    assert advance(fallen, CRITICAL, RUNWAY, RUNWAY.values({}), DAY)[1] == ()


def test_an_acknowledgement_ends() -> None:
    alert, _ = lived([WARNING, WARNING])[-1]
    seen = acknowledge(alert, "dba", None, DAY + timedelta(days=5))
    assert advance(seen, WARNING, RUNWAY, RUNWAY.values({}), DAY + timedelta(days=5))[0].status is Status.ACKNOWLEDGED
    ended, events = advance(seen, WARNING, RUNWAY, RUNWAY.values({}), DAY + timedelta(days=6))
    assert (ended.status, events) == (Status.OPEN, (Event.ACKNOWLEDGEMENT_ENDED,))


def test_an_event_that_is_found_again_is_old() -> None:
    step = CONDITIONS["step"]
    jump = Observation(is_near=True, severity=Severity.INFO, occurred_on=DAY)
    alert, events = advance(Alert(1, Subject(1, 1)), jump, step, step.values({}), DAY)
    assert events == (Event.PENDING, Event.OPENED)
    assert advance(alert, jump, step, step.values({}), DAY)[1] == ()
    alert, events = advance(alert, CLEAR, step, step.values({}), DAY + timedelta(days=7))
    assert events == (Event.CLEARED,)
    assert advance(alert, jump, step, step.values({}), DAY + timedelta(days=7))[0] == alert


@given(st.integers(0, 150), st.integers(0, 150))
def test_more_of_a_limit_is_never_less_urgent(first: int, second: int) -> None:
    severities = [HEADROOM.severity_of({"used_bytes": used, "limit_bytes": 100}, HEADROOM.values({})) for used in sorted((first, second))]
    ranks = [-1 if severity is None else severity.rank for severity in severities]
    assert ranks == sorted(ranks)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2))))
def test_every_server_has_one_rule_of_a_condition(drawn: list[tuple[str, dict[str, str]]]) -> None:
    rules = [Rule(number, f"{name}{number}", name, tags) for number, (name, tags) in enumerate(drawn, 1)]
    servers = {1: {"x": "1", "y": "2"}, 2: {"x": "2"}, 3: {}}
    claimed = claims(rules, servers)
    for condition in {rule.condition for rule in rules}:
        for instance_id, tags in servers.items():
            fitting = [rule for rule in rules if rule.condition == condition and rule.tags.items() <= tags.items()]
            owners = [rule for rule in rules if rule.condition == condition and instance_id in claimed[rule.rule_id]]
            assert len(owners) == min(len(fitting), 1)
            assert all(len(owners[0].tags) >= len(rule.tags) for rule in fitting)


def an_alert(number: int, severity: Severity = Severity.WARNING, rule_id: int = 1) -> Alert:
    return Alert(
        rule_id, Subject(number), alert_id=100 * rule_id + number, status=Status.OPEN, severity=severity, peak_severity=severity,
        episode=1, opened_on=DAY,
    )  # fmt: skip


def planned(
    alerts: Sequence[Alert],
    *,
    channel: Channel = OPS,
    circumstances: Circumstances = AT_NOON,
    sent: int = 0,
) -> list[tuple[Kind, int]]:
    return [(message.kind, len(message.told)) for message in plan_messages(alerts, {}, channel, circumstances, sent)]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [(Kind.OPENED, 1)]),
        (5, [(Kind.OPENED, 1)] * 5),
        (6, [(Kind.DIGEST, 6)]),
        (8, [(Kind.DIGEST, 8)]),  # 20 % of 40 servers
        (9, [(Kind.COMMON_CAUSE, 9)]),
    ],
)
def test_many_at_once_are_one_message(count: int, expected: list[tuple[Kind, int]]) -> None:
    assert planned([an_alert(number) for number in range(1, count + 1)]) == expected


def test_news_are_one_message() -> None:
    assert planned([an_alert(1, Severity.INFO, 1), an_alert(2, Severity.INFO, 2)]) == [(Kind.DIGEST, 2)]


@given(st.integers(0, 5), st.integers(1, 5), st.integers(1, 12))
def test_a_channel_gets_no_more_than_its_cap_and_nothing_is_lost(sent: int, cap: int, rules: int) -> None:
    alerts = [an_alert(1, rule_id=rule_id) for rule_id in range(1, rules + 1)]
    messages = planned(alerts, channel=Channel(1, "ops", "webhook", "env:X", most_per_hour=cap), sent=sent)
    assert len(messages) <= max(cap - sent, 0)
    assert sum(count for _, count in messages) == (rules if cap > sent else 0)


def test_a_mute_a_window_and_a_channel_hold_back() -> None:
    alert, critical = an_alert(1), an_alert(2, Severity.CRITICAL)
    muted = Circumstances(NOON, TAGS, mutes=[Mute(1, "dba", "load", NOON + timedelta(hours=1), instance_id=1)])
    assert planned([alert], circumstances=muted) == []
    assert planned([alert], circumstances=replace(muted, now=NOON + timedelta(hours=1))) == [(Kind.OPENED, 1)]
    window = Blackout("backups", "0 11 * * *", 90, {"environment": "test"})
    assert planned([alert], circumstances=Circumstances(NOON, TAGS, blackouts=[window])) == []
    assert planned([critical], circumstances=Circumstances(NOON, TAGS, blackouts=[window])) == [(Kind.OPENED, 1)]  # in production
    passing = replace(window, tags={}, passes_critical=True)
    assert planned([alert, critical], circumstances=Circumstances(NOON, TAGS, blackouts=[passing])) == [(Kind.OPENED, 1)]
    urgent = Channel(1, "pager", "webhook", "env:X", least_severity=Severity.CRITICAL)
    assert planned([alert, critical], channel=urgent) == [(Kind.OPENED, 1)]
    tagged = Channel(1, "test", "webhook", "env:X", tags={"environment": "test"})
    assert planned([alert, critical], channel=tagged) == [(Kind.OPENED, 1)]


def test_it_is_told_again_after_one_three_and_seven_days_and_six_times() -> None:
    alert, channel = an_alert(1), Channel(1, "ops", "webhook", "env:X")
    notices: dict[int, Notice] = {}
    days: list[int] = []
    for hour in range(24 * 90):
        now = NOON + timedelta(hours=hour)
        for message in plan_messages([alert], notices, channel, Circumstances(now, TAGS), 0):
            notices[101] = notice_after(message.told[0], notices.get(101), 1, now)
            days.append(hour // 24)
    assert days == [0, 1, 4, 11, 18, 25, 32]


@pytest.mark.parametrize(
    ("cron", "minutes", "now", "expected"),
    [
        ("0 22 * * 6", 120, "2027-01-02T23:59:00", True),  # a Saturday
        ("0 22 * * 6", 120, "2027-01-03T00:00:00", False),
        ("0 22 * * 6", 120, "2027-01-01T22:30:00", False),
        ("30 1 1,15 * *", 60, "2027-01-15T02:29:59", True),
        ("*/20 8-17 * * 1-5", 5, "2027-01-04T08:44:00", True),
        ("*/20 8-17 * * 1-5", 5, "2027-01-04T08:45:00", False),
        ("0 0 1 * 7", 1, "2027-01-03T00:00:30", True),  # either the first or a Sunday, which is also 0
    ],
)
def test_a_window_begins_at_the_ticks_of_its_expression(cron: str, minutes: int, now: str, expected: bool) -> None:
    assert is_within(cron, minutes, datetime.fromisoformat(now).replace(tzinfo=UTC)) is expected


@pytest.mark.parametrize("cron", ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "a * * * *", "5-1 * * * *", "*/0 * * * *"])
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(InputError, match="cron"):
        parse_cron(cron)
