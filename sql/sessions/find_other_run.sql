-- A session with this id that is not of this run.
-- Parameters: session_id, run_id.
-- Returns: one row if there is such a session.
select 1
from sync_sessions
where session_id = %(session_id)s and run_id is distinct from %(run_id)s
