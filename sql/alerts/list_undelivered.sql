-- The messages that were given up, the newest first.
-- Parameters: none.
-- Returns: the fields of Undelivered.
select
    m.message_id,
    c.channel_name,
    m.subject,
    m.created_at,
    m.error
from alert_outbox as m
inner join alert_channels as c on m.channel_id = c.channel_id
where m.status = 'failed'
order by m.created_at desc
limit 200
