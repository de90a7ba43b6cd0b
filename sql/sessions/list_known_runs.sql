-- Which of these Dagster runs have a session of a category.
-- Parameters: category, run_ids (text[]).
-- Returns: run_id.
select run_id
from sync_sessions
where run_id = any(%(run_ids)s::text[]) and sync_category = %(category)s
