-- The schedules and sensors that the daemon knows, of all code locations. One that moved has several rows, of which the last counts.
-- Parameters: none. It runs in Dagster's database.
-- Returns: name, status (DECLARED_IN_CODE: on without anybody having said so, RUNNING, STOPPED), oldest first.
select
    instigator_body::jsonb -> 'origin' ->> 'job_name' as name,
    status
from instigators
order by update_timestamp, id
