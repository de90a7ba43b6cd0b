-- The days of recent sessions in which a write failed because a month was missing.
-- Parameters: error_code (of MissingMonthError).
-- Returns: first_day, last_day.
select distinct
    s.first_day,
    s.last_day
from sync_sessions as s
inner join sync_instance_records as r on s.session_id = r.session_id
where s.started_at > now() - interval '1 day' and r.error_code = %(error_code)s
