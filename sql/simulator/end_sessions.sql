-- End the sessions of the simulated days. A server without a size of the day failed.
-- Parameters: first_day, last_day (inclusive).
-- Returns: nothing.
with measured as (
    select
        stat_date,
        count(*) as instances
    from instance_size_stats
    where stat_date between %(first_day)s::date and %(last_day)s::date
    group by stat_date
)

update sync_sessions as s
set
    status = case when coalesce(m.instances, 0) < s.total_instances then 'failed' else 'completed' end,
    completed_at = s.started_at + interval '10 minutes',
    successful_instances = coalesce(m.instances, 0),
    failed_instances = s.total_instances - coalesce(m.instances, 0)
from sync_sessions as o
left join measured as m on o.first_day = m.stat_date
where
    s.session_id = o.session_id
    and s.status = 'running'
    and s.session_id = md5('simulated ' || s.first_day)::uuid
    and s.first_day between %(first_day)s::date and %(last_day)s::date
