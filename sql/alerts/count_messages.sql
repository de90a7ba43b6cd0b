-- How many messages each channel was given since an instant.
-- Parameters: since.
-- Returns: channel_id, messages.
select
    channel_id,
    count(*)::integer as messages
from alert_outbox
where created_at > %(since)s and kind not in ('report', 'test')
group by channel_id
