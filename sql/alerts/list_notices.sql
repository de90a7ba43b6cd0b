-- What channels were told of these alerts.
-- Parameters: alert_ids.
-- Returns: the fields of Notice.
select
    alert_id,
    channel_id,
    episode,
    severity,
    occurred_on,
    sent_count,
    last_at,
    is_cleared
from alert_notices
where alert_id = any(%(alert_ids)s)
