-- The newest sessions, a running one without an end.
-- Parameters: none.
-- Returns: started_at, zone, sync_category, sync_type, status, total_instances, failed_instances, seconds (NULL while it runs), error_code.
select
    started_at,
    coalesce(zone, 'centre') as zone,
    sync_category,
    sync_type,
    status,
    total_instances,
    failed_instances,
    extract(epoch from completed_at - started_at)::integer as seconds,
    error_code
from sync_sessions
order by started_at desc
limit 50
