"""Queues the messages that are due, in the transaction that evaluated the rules. `notify.py` has the rules, `deliver.py` sends."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from whalefall_pipelines.alerts.model import Alert, Channel, Message, Notice, Rule
from whalefall_pipelines.alerts.notify import Circumstances, notice_after, plan_messages
from whalefall_pipelines.alerts.store import outbox
from whalefall_pipelines.alerts.store.alerts import list_alerts_to_tell
from whalefall_pipelines.alerts.store.outbox import NewMessage
from whalefall_pipelines.alerts.store.rules import list_blackouts, list_channels, list_mutes
from whalefall_pipelines.alerts.wording import Names, write_message
from whalefall_pipelines.store.database import Cursor


def queue_messages(cursor: Cursor, rules: Sequence[Rule], tags: Mapping[int, Mapping[str, str]], now: datetime) -> int:
    """Queue what is due for every channel, and write down what it is told. Returns the number of messages."""
    channels = list_channels(cursor)
    alerts = list_alerts_to_tell(cursor, now.date()) if channels else ()
    if not alerts:
        return 0
    circumstances = Circumstances(now, tags, list_mutes(cursor, now), list_blackouts(cursor))
    notices = outbox.list_notices(cursor, [alert.alert_id for alert in alerts if alert.alert_id])
    sent = outbox.count_messages(cursor, now - timedelta(hours=1))
    planned = [
        (channel, message)
        for channel in channels
        for message in plan_messages(alerts, _of(notices, channel), channel, circumstances, sent.get(channel.channel_id, 0))
    ]
    if planned:
        names = _names(cursor, rules, alerts)
        told = [
            notice_after(due, _of(notices, channel).get(due.alert.alert_id or 0), channel.channel_id, now)
            for channel, message in planned
            for due in message.told
        ]
        outbox.write_messages(cursor, [_message(message, names) for _, message in planned], told, now)
    return len(planned)


def _of(notices: Sequence[Notice], channel: Channel) -> Mapping[int, Notice]:
    return {notice.alert_id: notice for notice in notices if notice.channel_id == channel.channel_id}


def _names(cursor: Cursor, rules: Sequence[Rule], alerts: Sequence[Alert]) -> Names:
    return Names(
        outbox.name_subjects(cursor, {alert.subject for alert in alerts}),
        {rule.rule_id: rule.rule_name for rule in rules},
        {rule.rule_id: rule.condition for rule in rules},
    )


def _message(message: Message, names: Names) -> NewMessage:
    text = write_message(message, names)
    alert_ids = tuple(due.alert.alert_id for due in message.told if due.alert.alert_id)
    identifier: UUID = uuid4()
    document = {"message_id": str(identifier), **text.document}
    return NewMessage(identifier, message.channel_id, message.kind, text.subject, text.body, document, alert_ids)
