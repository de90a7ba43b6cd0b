"""What a day does to an alert: pending → open → acknowledged → cleared. The store refuses other transitions. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from whalefall_pipelines.alerts.conditions import Condition, Thresholds
from whalefall_pipelines.alerts.model import CLEAR, UNKNOWN, Alert, Event, Finding, Observation, Rule, Severity, Status

FLAP_DAYS = 14
# What flaps stays open for longer and longer, so that it is told less and less often, up to this.
MOST_CLEAR_DAYS = 14


def observe(finding: Finding | None, condition: Condition, thresholds: Thresholds, *, is_known: bool) -> Observation:
    """What a day says about a subject. What was not found is over only if it could have been found."""
    if finding is None:
        return CLEAR if is_known else UNKNOWN
    severity = condition.severity_of(finding.figures, thresholds)
    return Observation(is_near=True, severity=severity, figures=finding.figures, occurred_on=finding.occurred_on)


def advance(
    alert: Alert, observation: Observation, condition: Condition, thresholds: Thresholds, day: date
) -> tuple[Alert, tuple[Event, ...]]:
    """The alert after a day, and what happened to it. A day of which nothing is known neither opens nor clears."""
    if not observation.is_known:
        return (replace(alert, unknown_since=alert.unknown_since or day), ()) if alert.status.is_live else (alert, ())
    alert, ended = _end_acknowledgement(replace(alert, unknown_since=None), day)
    if observation.severity is not None and not _is_old(alert, observation):
        after, events = _met(alert, observation, condition, thresholds, day)
    elif observation.is_near or _lasts(alert, condition, day):
        after, events = _near(alert, observation)
    else:
        after, events = _over(alert, thresholds, day)
    return after, (*ended, *events)


def acknowledge(alert: Alert, person: str, note: str | None, until: date | None) -> Alert:
    """The alert as a person has seen it."""
    status = Status.ACKNOWLEDGED
    return replace(alert, status=status, acknowledged_by=person, acknowledged_note=note, acknowledged_until=until)


def claims(rules: Sequence[Rule], tags: Mapping[int, Mapping[str, str]]) -> Mapping[int, frozenset[int]]:
    """The servers of each rule. Of several rules of one condition, a server has the one with the most tags, then the first by name."""
    claimed: dict[int, set[int]] = {rule.rule_id: set() for rule in rules}
    order = sorted(rules, key=lambda rule: (-len(rule.tags), rule.rule_name))
    for instance_id, has in tags.items():
        conditions: set[str] = set()
        for rule in order:
            if rule.condition not in conditions and rule.tags.items() <= has.items():
                conditions.add(rule.condition)
                claimed[rule.rule_id].add(instance_id)
    return {rule_id: frozenset(instance_ids) for rule_id, instance_ids in claimed.items()}


def _met(
    alert: Alert, observation: Observation, condition: Condition, thresholds: Thresholds, day: date
) -> tuple[Alert, tuple[Event, ...]]:
    severity = observation.severity or alert.severity
    occurred_on = observation.occurred_on or alert.occurred_on
    is_again = alert.occurred_on is not None and occurred_on is not None and occurred_on > alert.occurred_on
    after = replace(alert, severity=severity, figures=observation.figures or {}, occurred_on=occurred_on, clear_days=0)
    if alert.status in {Status.OPEN, Status.ACKNOWLEDGED}:
        if severity.rank > alert.peak_severity.rank:
            return _unacknowledged(replace(after, peak_severity=severity)), (Event.WORSE,)
        return (_unacknowledged(after), (Event.AGAIN,)) if is_again else (after, ())
    met_days = 1 if alert.status is Status.CLEARED else alert.met_days + 1
    after = replace(after, status=Status.PENDING, peak_severity=severity, met_days=met_days)
    needed = 1 if condition.is_urgent and severity is Severity.CRITICAL else thresholds["opens_after_days"]
    events = () if alert.status is Status.PENDING else (Event.PENDING,)
    if after.met_days < needed:
        return after, events
    is_flap = occurred_on is None and alert.cleared_on is not None and day - alert.cleared_on <= timedelta(days=FLAP_DAYS)
    after = replace(
        after,
        status=Status.OPEN,
        opened_on=day,
        episode=alert.episode + 1,
        flaps=alert.flaps + 1 if is_flap else 0,
    )
    return after, (*events, Event.REOPENED if is_flap else Event.OPENED)


def _near(alert: Alert, observation: Observation) -> tuple[Alert, tuple[Event, ...]]:
    """Between the threshold that opens and the one that clears: what is open stays, and what is not open does not open."""
    if alert.status is Status.PENDING:
        return replace(alert, status=Status.CLEARED, met_days=0), (Event.DROPPED,)
    if not alert.status.is_live:
        return alert, ()
    return replace(alert, clear_days=0, figures=observation.figures or alert.figures), ()


def _over(alert: Alert, thresholds: Thresholds, day: date) -> tuple[Alert, tuple[Event, ...]]:
    if not alert.status.is_live:
        return alert, ()
    if alert.status is Status.PENDING:
        return replace(alert, status=Status.CLEARED, met_days=0), (Event.DROPPED,)
    after = replace(alert, clear_days=alert.clear_days + 1)
    if after.clear_days < min(thresholds["clears_after_days"] * (1 + alert.flaps), MOST_CLEAR_DAYS):
        return after, ()
    after = _unacknowledged(replace(after, clear_days=0, met_days=0, cleared_on=day))
    return replace(after, status=Status.CLEARED), (Event.CLEARED,)


def _is_old(alert: Alert, observation: Observation) -> bool:
    """Whether it is an event that opened this alert before, and is found again because it is looked for on several days."""
    if alert.status is not Status.CLEARED or alert.occurred_on is None or observation.occurred_on is None:
        return False
    return observation.occurred_on <= alert.occurred_on


def _lasts(alert: Alert, condition: Condition, day: date) -> bool:
    """Whether an event is still told, because nothing clears it but time."""
    if condition.lasts_days is None or alert.occurred_on is None:
        return False
    return day < alert.occurred_on + timedelta(days=condition.lasts_days)


def _end_acknowledgement(alert: Alert, day: date) -> tuple[Alert, tuple[Event, ...]]:
    is_over = alert.status is Status.ACKNOWLEDGED and alert.acknowledged_until is not None and alert.acknowledged_until < day
    return (_unacknowledged(alert), (Event.ACKNOWLEDGEMENT_ENDED,)) if is_over else (alert, ())


def _unacknowledged(alert: Alert) -> Alert:
    return replace(alert, status=Status.OPEN, acknowledged_by=None, acknowledged_note=None, acknowledged_until=None)
