-- End a running session with the counts of its records.
-- Parameters: session_id, status (failed, cancelled, or NULL: failed if any record failed, else completed), error_code and error_message
-- (of the session as a whole, or NULL).
-- Returns: one row if the session was running.
update sync_sessions as s
set
    status = coalesce(%(status)s, case when c.failed > 0 then 'failed' else 'completed' end),
    successful_instances = c.successful,
    failed_instances = c.failed,
    skipped_instances = c.skipped,
    completed_at = clock_timestamp(),
    error_code = %(error_code)s,
    error_message = %(error_message)s
from (
    select
        count(*) filter (where status = 'completed' and not is_skipped) as successful,
        count(*) filter (where status = 'failed') as failed,
        count(*) filter (where is_skipped) as skipped
    from sync_instance_records
    where session_id = %(session_id)s
) as c
where s.session_id = %(session_id)s and s.status = 'running'
returning s.status
