-- Put messages into the outbox.
-- Parameters: messages (jsonb: message_id, channel_id, kind, subject, body, html, document, alert_ids), now.
-- Returns: nothing.
insert into alert_outbox (message_id, channel_id, kind, subject, body, html, document, alert_ids, next_attempt_at, created_at)
select
    message_id,
    channel_id,
    kind,
    subject,
    body,
    html,
    coalesce(document, '{}'),
    coalesce(alert_ids, '{}'),
    %(now)s::timestamptz as next_attempt_at,
    %(now)s::timestamptz as created_at
from jsonb_populate_recordset(null::alert_outbox, %(messages)s::jsonb)
on conflict (message_id) do nothing
