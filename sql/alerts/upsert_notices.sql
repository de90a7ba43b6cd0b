-- Write down what channels were told of alerts.
-- Parameters: notices (jsonb: the fields of Notice).
-- Returns: nothing.
insert into alert_notices (alert_id, channel_id, episode, severity, occurred_on, sent_count, last_at, is_cleared)
select
    alert_id,
    channel_id,
    episode,
    severity,
    occurred_on,
    sent_count,
    last_at,
    is_cleared
from jsonb_populate_recordset(null::alert_notices, %(notices)s::jsonb)
on conflict (alert_id, channel_id) do update
    set
        episode = excluded.episode,
        severity = excluded.severity,
        occurred_on = excluded.occurred_on,
        sent_count = excluded.sent_count,
        last_at = excluded.last_at,
        is_cleared = excluded.is_cleared
