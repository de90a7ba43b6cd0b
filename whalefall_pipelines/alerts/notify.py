"""Which messages are due for a channel: what it was told is compared with what is so. No I/O.

Nothing here remembers a transition: an alert that was muted, delayed or above a cap is due for as long as it is so and was not told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from whalefall_pipelines.alerts.model import Alert, Blackout, Channel, Due, Kind, Message, Mute, Notice, Severity, Status
from whalefall_pipelines.alerts.windows import is_within

# After the first message, an open alert is told again after these days; the last pause is repeated.
REMINDER_DAYS = (1, 3, 7)
MOST_REMINDERS = 6
# That an alert is over is told within these days; after a longer mute nobody waits for it.
CLEARED_DAYS = 7
# So many alerts of a rule are told one by one; more of them are one digest.
MOST_SINGLE = 5
# A rule that opens for more than this share of the fleet, and for at least so many servers, has one cause.
COMMON_CAUSE_SHARE, COMMON_CAUSE_INSTANCES = 0.20, 3
_ORDER = list(Kind)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides whether a message is sent now. `now` is in the time zone of the store."""

    now: datetime
    tags: Mapping[int, Mapping[str, str]]
    mutes: Sequence[Mute] = ()
    blackouts: Sequence[Blackout] = ()

    @property
    def fleet_size(self) -> int:
        """The number of active servers."""
        return len(self.tags)


def due_kind(alert: Alert, notice: Notice | None, now: datetime) -> Kind | None:
    """Why a channel is to be told of an alert; None if it knows everything."""
    if notice is None or notice.episode != alert.episode:
        news = Kind.REOPENED if alert.flaps else Kind.OPENED
        return news if alert.status is Status.OPEN else None
    # an event is told once: it was over when it was found, and only time clears it
    is_lasting = alert.occurred_on is None and alert.peak_severity is not Severity.INFO
    if alert.status is Status.CLEARED:
        is_recent = alert.cleared_on is not None and now.date() - alert.cleared_on <= timedelta(days=CLEARED_DAYS)
        return Kind.CLEARED if is_lasting and is_recent and not notice.is_cleared else None
    if alert.status is not Status.OPEN:
        return None
    if alert.peak_severity.rank > notice.severity.rank:
        return Kind.WORSE
    if alert.occurred_on is not None and (notice.occurred_on is None or alert.occurred_on > notice.occurred_on):
        return Kind.AGAIN
    return Kind.REMINDER if is_lasting and _is_reminder_due(notice, now) else None


def plan_messages(
    alerts: Iterable[Alert], notices: Mapping[int, Notice], channel: Channel, circumstances: Circumstances, sent_last_hour: int
) -> tuple[Message, ...]:
    """The messages that a channel is sent now, the most urgent first. `notices` are those of this channel, by alert."""
    told = [
        Due(alert, kind)
        for alert in alerts
        if _is_wanted(alert, channel, circumstances)
        for kind in [due_kind(alert, notices.get(alert.alert_id or 0), circumstances.now)]
        if kind
    ]
    messages = [Message(channel.channel_id, *group) for group in _grouped(told, circumstances.fleet_size)]
    messages.sort(key=lambda message: (-_urgency(message.told), _ORDER.index(message.kind), min(due.alert.rule_id for due in message.told)))
    return _capped(messages, channel.most_per_hour - sent_last_hour)


def notice_after(due: Due, notice: Notice | None, channel_id: int, now: datetime) -> Notice:
    """What the channel knows once it was told."""
    is_same = notice is not None and notice.episode == due.alert.episode
    sent_count = notice.sent_count if notice and is_same else 0
    # what is worse or new begins its reminders again
    is_news = due.kind not in {Kind.REMINDER, Kind.CLEARED}
    return Notice(
        due.alert.alert_id or 0,
        channel_id,
        due.alert.episode,
        due.alert.peak_severity,
        due.alert.occurred_on,
        1 if is_news else sent_count + 1,
        now,
        is_cleared=due.kind is Kind.CLEARED,
    )


def _is_reminder_due(notice: Notice, now: datetime) -> bool:
    if notice.sent_count > MOST_REMINDERS:
        return False
    pause = REMINDER_DAYS[min(notice.sent_count, len(REMINDER_DAYS)) - 1]
    return now - notice.last_at >= timedelta(days=pause)


def _is_wanted(alert: Alert, channel: Channel, circumstances: Circumstances) -> bool:
    tags = circumstances.tags.get(alert.subject.instance_id or 0, {})
    if alert.peak_severity.rank < channel.least_severity.rank or not channel.tags.items() <= tags.items():
        return False
    if any(mute.until_at > circumstances.now and mute.silences(alert) for mute in circumstances.mutes):
        return False
    is_critical = alert.peak_severity is Severity.CRITICAL
    return not any(
        is_within(blackout.cron, blackout.minutes, circumstances.now)
        for blackout in circumstances.blackouts
        if blackout.tags.items() <= tags.items() and not (is_critical and blackout.passes_critical)
    )


def _grouped(told: Sequence[Due], fleet_size: int) -> Iterable[tuple[Kind, tuple[Due, ...]]]:
    news = [due for due in told if due.alert.peak_severity is Severity.INFO]
    if news:
        yield (Kind.DIGEST if len(news) > 1 else news[0].kind), tuple(news)
    others = sorted((due for due in told if due.alert.peak_severity is not Severity.INFO), key=_group)
    for (_, kind), members in groupby(others, key=lambda due: _group(due)[:2]):
        group = tuple(members)
        instances = {due.alert.subject.instance_id for due in group} - {None}
        is_common = len(instances) >= COMMON_CAUSE_INSTANCES and len(instances) > COMMON_CAUSE_SHARE * fleet_size
        if is_common and kind is not Kind.REMINDER:
            yield (Kind.COMMON_CAUSE if kind in {Kind.OPENED, Kind.REOPENED} else Kind.DIGEST), group
        elif len(group) > MOST_SINGLE:
            yield Kind.DIGEST, group
        else:
            yield from ((due.kind, (due,)) for due in group)


def _group(due: Due) -> tuple[int, Kind, int, int]:
    subject = due.alert.subject
    return due.alert.rule_id, due.kind, subject.instance_id or 0, subject.database_id or 0


def _urgency(told: Sequence[Due]) -> int:
    return max(due.alert.peak_severity.rank for due in told)


def _capped(messages: Sequence[Message], left: int) -> tuple[Message, ...]:
    """As many as the channel may get in this hour. The last one has all that is left; without any, they wait."""
    if left <= 0:
        return ()
    if len(messages) <= left:
        return tuple(messages)
    rest = messages[left - 1 :]
    return (*messages[: left - 1], Message(rest[0].channel_id, Kind.DIGEST, tuple(due for message in rest for due in message.told)))
