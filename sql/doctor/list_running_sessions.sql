-- Sessions that have not ended.
-- Parameters: none.
-- Returns: session_id, sync_category, started_at.
select
    session_id,
    sync_category,
    started_at
from sync_sessions
where status = 'running'
order by started_at
