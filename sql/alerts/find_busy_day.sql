-- Whether a session is running whose results rules read.
-- Parameters: day.
-- Returns: one row: is_busy.
select exists (
    select 1 from sync_sessions
    where
        status = 'running'
        and sync_category in ('capacity', 'account', 'classification', 'forecast')
        and %(day)s between first_day and last_day
) as is_busy
