-- Close the record of an instance as failed.
-- Parameters: session_id, instance_id, error_code, error_message, sync_details (json text).
-- Returns: one row if the record was running.
update sync_instance_records
set
    status = 'failed',
    completed_at = clock_timestamp(),
    error_code = %(error_code)s,
    error_message = %(error_message)s,
    sync_details = %(sync_details)s::jsonb
where session_id = %(session_id)s and instance_id = %(instance_id)s and status = 'running'
returning instance_id
