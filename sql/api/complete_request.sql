-- Writes down how a request ended.
-- Parameters: request_id, status, completed_at, session_id, run_id, answer (NULL where nothing needs it again).
-- Returns: nothing.
update api_requests
set
    status = %(status)s,
    completed_at = %(completed_at)s,
    session_id = %(session_id)s,
    run_id = %(run_id)s,
    answer = %(answer)s::jsonb
where request_id = %(request_id)s and status is null
