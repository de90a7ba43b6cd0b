-- When the last session of each category ended with each status, and the newest day of those that reached a server, of the sessions that
-- began lately.
-- Parameters: since (timestamptz).
-- Returns: sync_category, status, completed_at, last_day (NULL: none reached a server).
select
    sync_category,
    status,
    max(completed_at) as completed_at,
    max(last_day) filter (where successful_instances > 0) as last_day
from sync_sessions
where started_at >= %(since)s and status <> 'running'
group by sync_category, status
order by sync_category, status
