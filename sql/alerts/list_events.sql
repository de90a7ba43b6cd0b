-- What happened to an alert, the newest first.
-- Parameters: alert_id.
-- Returns: the fields of EventRow.
select
    event,
    day,
    happened_at,
    severity,
    person,
    note
from alert_events
where alert_id = %(alert_id)s
order by event_id desc
limit 200
