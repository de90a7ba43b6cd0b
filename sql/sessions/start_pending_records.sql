-- Start all records of a session that probes no server.
-- Parameters: session_id.
-- Returns: nothing.
update sync_instance_records
set
    status = 'running',
    started_at = clock_timestamp()
where session_id = %(session_id)s and status = 'pending'
