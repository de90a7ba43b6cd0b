-- A session ends before its work is finished: running records fail, pending ones stay pending.
-- Parameters: session_id, error_code, error_message.
-- Returns: nothing.
update sync_instance_records
set
    status = 'failed',
    completed_at = clock_timestamp(),
    error_code = %(error_code)s,
    error_message = %(error_message)s
where session_id = %(session_id)s and status = 'running'
