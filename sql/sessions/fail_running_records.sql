-- A session ends before its work: what was under way failed; what was never touched stays pending.
-- Parameters: session_id, error_code, error_message.
-- Returns: nothing.
update sync_instance_records
set
    status = 'failed',
    completed_at = clock_timestamp(),
    error_code = %(error_code)s,
    error_message = %(error_message)s
where session_id = %(session_id)s and status = 'running'
