-- Which of these Dagster runs have a session that collects.
-- Parameters: run_ids (text[]).
-- Returns: run_id.
select run_id
from sync_sessions
where run_id = any(%(run_ids)s::text[]) and sync_category = 'capacity'
