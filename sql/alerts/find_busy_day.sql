-- Whether a session is running whose results rules read.
-- Parameters: day.
-- Returns: one row: is_busy.
select count(*) > 0 as is_busy
from sync_sessions
where
    status = 'running'
    and sync_category in ('capacity', 'account', 'classification', 'forecast')
    and %(day)s between first_day and last_day
