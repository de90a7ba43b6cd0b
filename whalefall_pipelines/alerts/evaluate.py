"""Evaluates the rules: a closed day once, and what depends on the clock at every tick. Messages are written in the same transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from whalefall_pipelines.alerts.advance import advance, claims, observe
from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.conditions import Evidence
from whalefall_pipelines.alerts.model import CLEAR, Alert, Event, Finding, Rule, Severity, Subject
from whalefall_pipelines.alerts.queue_messages import queue_messages
from whalefall_pipelines.alerts.settings import AlertSettings
from whalefall_pipelines.alerts.store import alerts as store
from whalefall_pipelines.alerts.store.alerts import Change
from whalefall_pipelines.alerts.store.outbox import name_subjects
from whalefall_pipelines.alerts.store.rules import (
    ClosedDay,
    find_closed_day,
    find_oldest_instance,
    find_subjects,
    is_busy,
    list_rules,
    list_tags,
)
from whalefall_pipelines.alerts.wording import FLEET, sentence
from whalefall_pipelines.areas import partitioned_table_names
from whalefall_pipelines.store.database import Cursor, Database

# What happened to alerts, and what was sent, is kept for longer than the sizes of the year that explain it.
KEPT_DAYS = 400


@dataclass(frozen=True, slots=True)
class Moment:
    """The day that is evaluated, and the clock. `closed_day` is the newest closed one, `earlier` the one that was evaluated before."""

    day: date
    now: datetime
    closed_day: date | None
    earlier: date | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation did. `day` is None if no day was due."""

    day: date | None
    changed: int
    queued: int


def evaluate(database: Database, settings: AlertSettings, now: datetime) -> Evaluated:
    """Evaluate what is due, and queue the messages that are due. A crash leaves nothing of it, and the next call does it again."""
    local = now.astimezone(database.timezone)
    with database.transaction() as cursor:
        store.lock_alerts(cursor)
        closed = find_closed_day(cursor, now)
        earlier = store.find_evaluation(cursor, closed.day if closed else local.date())
        moment = Moment(local.date(), local, closed and closed.day, earlier and earlier.day)
        rules, tags = [stored.rule for stored in list_rules(cursor)], list_tags(cursor)
        changed = _evaluate(cursor, rules, tags, moment, is_nightly=False)
        is_due = closed and _is_due(cursor, closed, settings, local) and store.insert_evaluation(cursor, closed.day, now)
        day = closed.day if closed and is_due else None
        if day is not None:
            changed += _evaluate(cursor, rules, tags, replace(moment, day=day), is_nightly=True)
            store.delete_expired(cursor, day - timedelta(days=KEPT_DAYS))
        queued = queue_messages(cursor, rules, tags, local)
    return Evaluated(day, changed, queued)


def last_closed_day(database: Database, now: datetime) -> ClosedDay | None:
    """The newest closed day, and when it was closed; None if none was within two weeks."""
    with database.transaction() as cursor:
        return find_closed_day(cursor, now)


def first_expected_day(database: Database) -> date | None:
    """The first day on which a server that is still active was to be collected; None without one."""
    with database.transaction() as cursor:
        return find_oldest_instance(cursor)


def last_evaluation(database: Database) -> store.Evaluation | None:
    """The newest evaluation of a closed day."""
    with database.transaction() as cursor:
        return store.find_evaluation(cursor, date.max)


@dataclass(frozen=True, slots=True)
class Met:
    """A condition that is met, in words."""

    rule_name: str
    subject: str
    severity: Severity
    sentence: str


def what_is_met(database: Database, conditions: Collection[str], day: date, now: datetime) -> tuple[Met, ...]:
    """What the rules of these conditions find on a day, whatever its alerts are. Nothing is stored."""
    met: list[tuple[Rule, Finding, Severity]] = []
    with database.transaction() as cursor:
        rules = [stored.rule for stored in list_rules(cursor) if stored.rule.condition in conditions and stored.rule.is_active]
        claimed, closed = claims(rules, list_tags(cursor)), find_closed_day(cursor, now)
        moment = Moment(day, now.astimezone(database.timezone), closed and closed.day, day - timedelta(days=1))
        for rule in rules:
            condition = CONDITIONS[rule.condition]
            for finding in find(cursor, rule, claimed[rule.rule_id], moment):
                severity = condition.severity_of(finding.figures, condition.values(rule.thresholds))
                if severity and (finding.occurred_on is None or finding.occurred_on >= moment.day - timedelta(days=1)):
                    met.append((rule, finding, severity))
        names = name_subjects(cursor, {finding.subject for _, finding, _ in met})
    return tuple(
        Met(rule.rule_name, names.get(finding.subject, FLEET), severity, sentence(rule.condition, finding.figures))
        for rule, finding, severity in met
    )


def find(cursor: Cursor, rule: Rule, instance_ids: frozenset[int], moment: Moment) -> tuple[Finding, ...]:
    """What a rule finds at a moment, by one statement."""
    condition = CONDITIONS[rule.condition]
    if not rule.is_active or (condition.has_instances and not instance_ids):
        return ()
    thresholds = condition.values(rule.thresholds)
    # without an evaluation before, what happened before is no news
    oldest = moment.day - timedelta(days=(condition.lasts_days or 1) - 1) if moment.earlier else moment.day
    due = moment.now.date() - timedelta(days=moment.now.hour < thresholds.get("by_hour", 0))
    parameters = {
        **thresholds,
        "rule_id": rule.rule_id,
        "instance_ids": sorted(instance_ids),
        "day": moment.day,
        # the day before is looked at again, because what was retried after its evaluation was not there
        "first_day": max(oldest, moment.earlier or moment.day),
        "oldest_day": oldest,
        "now": moment.now,
        "due_day": due,
        "closed_day": moment.closed_day,
        "table_names": list(partitioned_table_names()),
    }
    return find_subjects(cursor, condition, parameters)


def _is_due(cursor: Cursor, closed: ClosedDay, settings: AlertSettings, local: datetime) -> bool:
    """A day is evaluated when its forecasts are made: from an hour on, and while none of its sessions is running."""
    from_hour = local.replace(hour=settings.alerts_from_hour, minute=0, second=0, microsecond=0)
    is_late = local.date() > closed.day or local >= from_hour
    return is_late and not is_busy(cursor, closed.day)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What an evaluation knows: the servers of each rule, what was found, and of what the day tells anything."""

    rules: Mapping[int, Rule]
    claimed: Mapping[int, frozenset[int]]
    findings: Mapping[tuple[int, Subject], Finding]
    known: Mapping[int, frozenset[Evidence]]
    day: date


def _evaluate(cursor: Cursor, rules: Sequence[Rule], tags: Mapping[int, Mapping[str, str]], moment: Moment, *, is_nightly: bool) -> int:
    asked = {rule.rule_id: rule for rule in rules if CONDITIONS[rule.condition].is_nightly is is_nightly}
    claimed = claims([rule for rule in asked.values() if rule.is_active], tags)
    findings = {
        (rule.rule_id, finding.subject): finding
        for rule in asked.values()
        for finding in find(cursor, rule, claimed.get(rule.rule_id, frozenset()), moment)
    }
    scene = _Scene(asked, claimed, findings, store.list_known(cursor, moment.day), moment.day)
    changes = list(_changes(scene, store.list_alerts_to_evaluate(cursor, list(asked), findings)))
    store.write_changes(cursor, changes, moment.day, moment.now)
    return len(changes)


def _changes(scene: _Scene, stored: Sequence[Alert]) -> Iterator[Change]:
    alerts = {(alert.rule_id, alert.subject): alert for alert in stored}
    for key in sorted({*scene.findings, *alerts}, key=lambda key: (key[0], key[1].instance_id or 0, key[1].database_id or 0)):
        before = alerts.get(key) or Alert(*key)
        after, events = _advance(scene, before)
        if after != before:
            yield store.change_of(before, after, events)


def _advance(scene: _Scene, alert: Alert) -> tuple[Alert, tuple[Event, ...]]:
    rule = scene.rules[alert.rule_id]
    condition = CONDITIONS[rule.condition]
    thresholds = condition.values(rule.thresholds)
    instance_id = alert.subject.instance_id
    if not rule.is_active or (instance_id is not None and instance_id not in scene.claimed[rule.rule_id]):
        # another rule watches it now, or nothing does
        unwatched = replace(alert, flaps=0, occurred_on=None)
        return advance(unwatched, CLEAR, condition, {**thresholds, "clears_after_days": 1}, scene.day)
    is_known = instance_id is None or alert.alert_id is None or condition.evidence in scene.known.get(alert.alert_id, {Evidence.STORE})
    finding = scene.findings.get((rule.rule_id, alert.subject))
    return advance(alert, observe(finding, condition, thresholds, is_known=is_known), condition, thresholds, scene.day)
