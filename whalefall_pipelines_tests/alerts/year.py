"""A year of a fleet without a store: sizes by day, the rules over them, and the messages that one channel gets.

The figures of a day are computed here from the script of the fleet, not by the statements of the conditions; `test_evaluate.py` has these.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from whalefall_pipelines.alerts.advance import acknowledge, advance, observe
from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.model import Alert, Blackout, Channel, Finding, Kind, Mute, Notice, Status, Subject
from whalefall_pipelines.alerts.notify import Circumstances, notice_after, plan_messages

FIRST_DAY = date(2027, 1, 1)
GIB = 2**30
RULES = {name: number for number, name in enumerate(CONDITIONS, 1)}
NAMES = {number: name for name, number in RULES.items()}
CHANNEL = Channel(1, "ops", "webhook", "env:MONITOR_URL")
FLEET = Subject()


@dataclass(frozen=True)
class Server:
    """A server whose only limit is its own: `size` gives its used bytes by day; None is a day that was not measured."""

    size: Callable[[int], int | None]
    limit: Callable[[int], int] = lambda _day: 1000 * GIB


@dataclass
class Year:
    """What is stored, and what was sent: `(day, kind, rule, subjects)`."""

    servers: Mapping[int, Server]
    closed: Callable[[int], bool] = lambda _day: True
    tags: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    mutes: tuple[Mute, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
    alerts: dict[tuple[int, Subject], Alert] = field(default_factory=dict)
    notices: dict[int, Notice] = field(default_factory=dict)
    messages: list[tuple[int, Kind, str, tuple[int, ...]]] = field(default_factory=list)
    known: dict[int, deque[tuple[int, int]]] = field(default_factory=dict)
    last_closed: int = -1

    def run(self, days: int, people: Mapping[int, Callable[["Year"], None]] | None = None) -> None:
        """Live through the days; on some of them a person does something, after the messages of the morning."""
        for day in range(days):
            if self.closed(day):
                self.last_closed = day
                self._evaluate(day, is_nightly=True)
            self._evaluate(day, is_nightly=False)
            self._send(day)
            if people and day in people:
                people[day](self)

    def acknowledge(self, rule: str, instance_id: int, until: date | None = None) -> None:
        key = (RULES[rule], Subject(instance_id))
        self.alerts[key] = acknowledge(self.alerts[key], "dba", None, until)

    def _evaluate(self, day: int, *, is_nightly: bool) -> None:
        today = FIRST_DAY + timedelta(days=day)
        found = dict(self._find(day, is_nightly=is_nightly))
        live = {key for key, alert in self.alerts.items() if alert.status.is_live}
        for rule_id, subject in sorted({*found, *live}, key=lambda key: (key[0], key[1].instance_id or 0)):
            condition = CONDITIONS[NAMES[rule_id]]
            if condition.is_nightly is not is_nightly:
                continue
            before = self.alerts.get((rule_id, subject)) or Alert(rule_id, subject, alert_id=len(self.alerts) + 1)
            is_known = subject.instance_id is None or condition.evidence == "store" or self._size(subject.instance_id, day) is not None
            observation = observe(found.get((rule_id, subject)), condition, condition.values({}), is_known=is_known)
            self.alerts[rule_id, subject], _ = advance(before, observation, condition, condition.values({}), today)

    def _find(self, day: int, *, is_nightly: bool) -> list[tuple[tuple[int, Subject], Finding]]:
        if not is_nightly:
            behind = day - self.last_closed
            figures = {"days_behind": behind}
            return [((RULES["collector_stale"], FLEET), Finding(FLEET, figures))] if behind else []
        found = [finding for instance_id in self.servers for finding in self._find_of(instance_id, day)]
        known = sum(self._size(instance_id, day) is not None for instance_id in self.servers)
        if known < 0.98 * len(self.servers):
            found.append(("coverage", Finding(FLEET, {"known": known, "expected": len(self.servers)})))
        return [((RULES[name], finding.subject), finding) for name, finding in found]

    def _find_of(self, instance_id: int, day: int) -> list[tuple[str, Finding]]:
        subject, known = Subject(instance_id), self.known.setdefault(instance_id, deque(maxlen=31))
        used, limit = self._size(instance_id, day), self.servers[instance_id].limit(day)
        if used is None:
            # a night in which nothing was collected says nothing about this server
            silent = sum(self.closed(past) for past in range(known[-1][0] + 1, day + 1)) if known else 0
            return [("missing_days", Finding(subject, {"days": silent}))] if silent >= 3 else []
        known.append((day, used))
        figures = {"used_bytes": used, "limit_bytes": limit}
        found = [("headroom", Finding(subject, figures))] if used * 100 >= limit * 80 else []
        first_day, first = known[0]
        if len(known) == 31 and used > first and not any(self._moves(instance_id, known)):
            left = (limit - used) * (day - first_day) // (used - first)
            if 0 <= left <= 45:
                found.append(("runway", Finding(subject, {"p50_days": left, "p10_days": left, **figures})))
        return found + self._moves(instance_id, list(known)[-2:])

    def _moves(self, instance_id: int, known: Iterable[tuple[int, int]]) -> list[tuple[str, Finding]]:
        moves: list[tuple[str, Finding]] = []
        for (_, before), (day, after) in pairwise(known):
            if abs(after - before) >= 10 * GIB and abs(after - before) * 20 >= before:
                figures = {"bytes_before": before, "total_bytes": after}
                name = "step" if after > before else "shrink"
                moves.append((name, Finding(Subject(instance_id), figures, FIRST_DAY + timedelta(days=day))))
        return moves[-1:]

    def _size(self, instance_id: int, day: int) -> int | None:
        return self.servers[instance_id].size(day) if self.closed(day) else None

    def _send(self, day: int) -> None:
        now = datetime.combine(FIRST_DAY + timedelta(days=day), datetime.min.time(), UTC) + timedelta(hours=7)
        tags = {instance_id: self.tags.get(instance_id, {}) for instance_id in self.servers}
        circumstances = Circumstances(now, tags, self.mutes, self.blackouts)
        live = [alert for alert in self.alerts.values() if alert.status is Status.OPEN or alert.cleared_on is not None]
        for message in plan_messages(live, self.notices, CHANNEL, circumstances, 0):
            for due in message.told:
                alert_id = due.alert.alert_id or 0
                self.notices[alert_id] = notice_after(due, self.notices.get(alert_id), 1, now)
            rules = "+".join(sorted({NAMES[due.alert.rule_id] for due in message.told}))
            subjects = tuple(sorted(due.alert.subject.instance_id or 0 for due in message.told))
            self.messages.append((day, message.kind, rules, subjects if len(subjects) <= 5 else (len(subjects),)))


def constant(gib: int) -> Server:
    """A server that never changes."""
    return Server(lambda _day: gib * GIB)


def without(server: Server, *days: int) -> Server:
    """The same server, not measured on these days."""
    return replace(server, size=lambda day: None if day in days else server.size(day))
