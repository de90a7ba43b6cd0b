-- The ended sessions that are older than records are kept and have some, oldest first. Each of them is looked up by its index: the
-- planner expects records everywhere, and would read them all to find none.
-- Parameters: before (date).
-- Returns: session_id, records.
select
    s.session_id,
    r.records
from sync_sessions as s
cross join
    lateral (
        select count(*) as records
        from sync_instance_records as i
        where i.session_id = s.session_id
    ) as r
where s.started_at < %(before)s::date and s.status <> 'running' and r.records > 0
order by s.started_at
