-- An instance is being visited, for the first time or once more. The commit does not wait for the disk: after a crash of the store
-- the run is dead anyway, and waiting costs every visit a millisecond.
-- Parameters: session_id, instance_id.
-- Returns: one row if its session still runs and its record is not closed.
with unhurried as (
    select set_config('synchronous_commit', 'off', true) as synchronous_commit
)

update sync_instance_records as r
set
    status = 'running',
    attempts = r.attempts + 1,
    started_at = coalesce(r.started_at, clock_timestamp())
from unhurried as u
where
    r.session_id = %(session_id)s
    and r.instance_id = %(instance_id)s
    and r.status in ('pending', 'running')
    and u.synchronous_commit = 'off'
    and exists (select 1 from sync_sessions as s where s.session_id = r.session_id and s.status = 'running')
returning r.attempts
