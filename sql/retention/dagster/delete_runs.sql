-- Delete those of these runs of which no event is left; their tags go with them.
-- Parameters: run_ids (text[]). It runs in Dagster's database.
-- Returns: one row per run.
delete from runs
where
    run_id = any(%(run_ids)s::text[])
    and not exists (select 1 from event_logs as e where e.run_id = runs.run_id)
returning run_id
