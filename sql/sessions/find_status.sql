-- The status of a session.
-- Parameters: session_id.
-- Returns: status, at most one row.
select status
from sync_sessions
where session_id = %(session_id)s
