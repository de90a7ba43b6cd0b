-- Store a heartbeat of a running session.
-- Parameters: session_id.
-- Returns: one row if the session still runs.
update sync_sessions
set alive_at = clock_timestamp()
where session_id = %(session_id)s and status = 'running'
returning session_id
