-- The newest evaluation before a day.
-- Parameters: day.
-- Returns: day, evaluated_at, heartbeat_at.
select
    day,
    evaluated_at,
    heartbeat_at
from alert_evaluations
where day < %(day)s
order by day desc
limit 1
