-- When the maintenance of a Dagster run ended because somebody held a lock.
-- Parameters: run_id, error_code (of StoreBusyError).
-- Returns: completed_at; no row where the maintenance ended otherwise, or goes on.
select completed_at
from sync_sessions
where run_id = %(run_id)s and sync_category = 'partition' and status = 'failed' and error_code = %(error_code)s
