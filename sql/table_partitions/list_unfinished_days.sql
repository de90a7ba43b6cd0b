-- The days of sessions that run or failed of late: what they write needs its month, and a missing month may be why they failed.
-- Parameters: none.
-- Returns: first_day, last_day.
select distinct
    first_day,
    last_day
from sync_sessions
where status in ('running', 'failed') and sync_category in ('capacity', 'aggregation') and started_at > now() - interval '1 day'
