-- Start the records of instances, for the first attempt or for a retry.
-- Parameters: session_id, instance_ids (integer[]).
-- Returns: instance_id of those whose record is not closed; none when the session does not run any more.
update sync_instance_records as r
set
    status = 'running',
    attempts = r.attempts + 1,
    started_at = coalesce(r.started_at, clock_timestamp())
where
    r.session_id = %(session_id)s
    and r.instance_id = any(%(instance_ids)s::integer[])
    and r.status in ('pending', 'running')
    and exists (select 1 from sync_sessions as s where s.session_id = r.session_id and s.status = 'running')
returning r.instance_id
