-- The number of the last run from which events were deleted, kept where Dagster's daemon keeps such marks.
-- Parameters: none. It runs in Dagster's database.
-- Returns: number; no row before the first time.
select value::bigint as number
from kvs
where key = 'whalefall/events_deleted_up_to_run'
