"""The sentences of alerts and the texts of messages. Numbers are rounded for people. No I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.model import Due, Figures, Kind, Message, Severity, Subject
from whalefall_pipelines.domain.quantities import counted, round_size

FLEET = "the fleet"
_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Names:
    """What subjects and rules are called, and what each rule watches."""

    subjects: Mapping[Subject, str]
    rules: Mapping[int, str]
    conditions: Mapping[int, str]

    def of(self, subject: Subject) -> str:
        """The name of a subject: `instance`, `instance/database` or `the fleet`."""
        return FLEET if subject.instance_id is None else self.subjects.get(subject, f"instance {subject.instance_id}")


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a message, and the same for programs."""

    subject: str
    body: str
    document: Mapping[str, object]


def sentence(condition: str, figures: Figures) -> str:
    """What the figures of a condition say, as the second half of a sentence after the name of the subject."""
    return _SENTENCES[condition](figures)


def write_message(message: Message, names: Names) -> Text:
    """The text of a message about alerts."""
    first = message.told[0]
    condition = names.conditions[first.alert.rule_id]
    lines = [_line(due, names) for due in message.told]
    if len(lines) == 1:
        subject = f"{_word(first)}: {names.of(first.alert.subject)}: {_short(first, names)}"
    elif message.kind is Kind.COMMON_CAUSE:
        subject = f"{_word(first)}: {len(lines)} servers or databases at once: {names.rules[first.alert.rule_id]}"
    else:
        subject = f"{_worst(message).upper()}: {len(lines)} alerts: {', '.join(_rules(message, names))}"
    body = ["One cause is probable, because so much of the fleet is affected at once.", ""] if message.kind is Kind.COMMON_CAUSE else []
    body += lines[:_MOST_LINES]
    if len(lines) > _MOST_LINES:
        body.append(f"- and {len(lines) - _MOST_LINES} more; `whalefall alerts list` shows them all.")
    if first.kind is not Kind.CLEARED and len(_rules(message, names)) == 1:
        body += ["", f"Next: {CONDITIONS[condition].next_step}"]
    return Text(subject, "\n".join(body), {"kind": message.kind, "alerts": [_document(due, names) for due in message.told]})


def _line(due: Due, names: Names) -> str:
    alert = due.alert
    return f"- [{alert.alert_id}] {names.of(alert.subject)}: {_short(due, names)} ({names.rules[alert.rule_id]}, {_since(due)})"


def _since(due: Due) -> str:
    alert = due.alert
    if due.kind is Kind.CLEARED:
        return f"over since {alert.cleared_on}"
    flaps = f", open again for the {alert.flaps}. time in two weeks" if alert.flaps else ""
    return f"since {alert.opened_on}{flaps}"


def _short(due: Due, names: Names) -> str:
    return f"{'it was that ' if due.kind is Kind.CLEARED else ''}{sentence(names.conditions[due.alert.rule_id], due.alert.figures)}"


def _word(due: Due) -> str:
    urgency = str(due.alert.peak_severity).upper()
    words = {
        Kind.CLEARED: "CLEARED",
        Kind.REMINDER: f"STILL {urgency}",
        Kind.WORSE: f"WORSE, NOW {urgency}",
        Kind.AGAIN: f"{urgency} AGAIN",
    }
    return words.get(due.kind, urgency)


def _worst(message: Message) -> Severity:
    return max((due.alert.peak_severity for due in message.told), key=lambda severity: severity.rank)


def _rules(message: Message, names: Names) -> list[str]:
    return sorted({names.rules[due.alert.rule_id] for due in message.told})


def _document(due: Due, names: Names) -> Mapping[str, object]:
    alert = due.alert
    return {
        "alert_id": alert.alert_id,
        "event": due.kind,
        "rule": names.rules[alert.rule_id],
        "condition": names.conditions[alert.rule_id],
        "severity": alert.peak_severity,
        "status": alert.status,
        "subject": names.of(alert.subject),
        "instance_id": alert.subject.instance_id,
        "database_id": alert.subject.database_id,
        "sentence": sentence(names.conditions[alert.rule_id], alert.figures),
        "figures": dict(alert.figures),
        "opened_on": alert.opened_on and alert.opened_on.isoformat(),
    }


def _size(figures: Figures, name: str) -> str:
    value = figures.get(name)
    return "an unknown size" if value is None else round_size(int(cast("int", value)))


def _counted(figures: Figures, name: str, noun: str) -> str:
    return counted(int(cast("int", figures.get(name) or 0)), noun)


def _share(figures: Figures, part: str, whole: str) -> str:
    return f"{100 * cast('float', figures.get(part) or 0) / max(cast('float', figures.get(whole) or 0), 1):.0f} %"


def _runway(figures: Figures) -> str:
    if figures.get("p50_days") is None:
        return f"no date can be forecast now; {_size(figures, 'used_bytes')} of {_size(figures, 'limit_bytes')} are used"
    earliest = "" if figures.get("p10_days") is None else f", at the earliest in {figures['p10_days']}"
    error = "" if figures.get("error_percent") is None else f"; forecasts for 30 days erred by {figures['error_percent']} %"
    left = _counted(figures, "p50_days", "day")
    return f"full in {left}{earliest}: {_size(figures, 'used_bytes')} of {_size(figures, 'limit_bytes')}{error}"


def _move(figures: Figures) -> str:
    change = cast("int", figures.get("total_bytes") or 0) - cast("int", figures.get("bytes_before") or 0)
    direction = "larger" if change > 0 else "smaller"
    return (
        f"{round_size(abs(change))} {direction} on {figures.get('day')} than on {figures.get('day_before')} "
        f"({_size(figures, 'bytes_before')} → {_size(figures, 'total_bytes')})"
    )


_SENTENCES: Mapping[str, Callable[[Figures], str]] = {
    "runway": _runway,
    "headroom": lambda f: f"{_share(f, 'used_bytes', 'limit_bytes')} full: {_size(f, 'used_bytes')} of {_size(f, 'limit_bytes')}",
    "jump_room": lambda f: f"{_size(f, 'headroom_bytes')} are free, and it jumped by {_size(f, 'jump_bytes')} on {f.get('jumped_on')}",
    "step": _move,
    "shrink": _move,
    "vanished": lambda f: f"database {f.get('database_name')} is gone since {f.get('day')}; it had {_size(f, 'last_bytes')}",
    "coverage": lambda f: (
        f"{_share(f, 'known', 'expected')} of the expected databases have a size on {f.get('day')} "
        f"({f.get('known')} of {f.get('expected')}, {_counted(f, 'instances', 'server')} incomplete)"
    ),
    "missing_days": lambda f: f"nothing was measured for {_counted(f, 'days', 'day')}, last on {f.get('last_day') or 'no day'}",
    "collector_stale": lambda f: f"{f.get('due_day')} is not closed; the last closed day is {f.get('closed_day') or 'unknown'}",
    "login_rejected": lambda f: f"its login was rejected on {f.get('day')}",
    "unfinished_sessions": lambda f: f"{f.get('sessions')} unfinished, the oldest is {f.get('session_id')} ({f.get('category')})",
    "partitions_ahead": lambda f: f"{f.get('table_name')} has table partitions for {_counted(f, 'months_ahead', 'month')} ahead",
    "footprint": lambda f: f"whalefall takes {_size(f, 'total_bytes')} on disk, most of it {f.get('largest')}",
    "privileged_account": lambda f: (
        f"{f.get('accounts')} newly privileged on {f.get('day')}{': ' if f.get('names') else ''}{f.get('names') or ''}"
    ),
    "class_changed": lambda f: f"{_counted(f, 'came', 'account')} came into classes and {f.get('left')} left ({f.get('classes')})",
    "forecast_unreliable": lambda f: f"{_share(f, 'held', 'scored')} of {_counted(f, 'scored', 'interval')} held, where 80 % were promised",
}
