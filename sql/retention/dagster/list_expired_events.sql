-- The events of these runs that are of no asset and of no check: what the runs did step by step. The partition bars, the plots, and the
-- state of checks and automation are made from the others.
-- Parameters: run_ids (text[]). It runs in Dagster's database.
-- Returns: id.
select id
from event_logs
where
    run_id = any(%(run_ids)s::text[])
    and asset_key is null
    and coalesce(dagster_event_type, '') not like 'ASSET\_%%'
