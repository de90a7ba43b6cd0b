-- Claim the oldest message that is due, so that no other process sends it at the same time.
-- Parameters: now, claimed_until.
-- Returns: the fields of QueuedMessage; no row if none is due.
with due as (
    select message_id from alert_outbox
    where status = 'queued' and next_attempt_at <= %(now)s
    order by next_attempt_at, created_at, message_id
    limit 1
    for update skip locked
)

update alert_outbox as m
set attempts = m.attempts + 1, next_attempt_at = %(claimed_until)s
from due as d, alert_channels as c
where m.message_id = d.message_id and m.channel_id = c.channel_id
returning
    m.message_id,
    c.channel_name,
    c.kind,
    c.url,
    c.signing_key,
    m.subject,
    m.body,
    m.html,
    m.document,
    m.attempts
