-- Close the running records of a session that probes no server as completed, and count them as skipped.
-- Parameters: session_id, sync_details (json text).
-- Returns: nothing.
update sync_instance_records
set
    status = 'completed',
    is_skipped = true,
    completed_at = clock_timestamp(),
    sync_details = %(sync_details)s::jsonb
where session_id = %(session_id)s and status = 'running'
