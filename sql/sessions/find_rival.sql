-- The running session of this category that already collects some of these days.
-- Parameters: category, first_day, last_day.
-- Returns: session_id, started_at, done (instances), total_instances; at most one row.
select
    s.session_id,
    s.started_at,
    (
        select count(*)
        from sync_instance_records as r
        where r.session_id = s.session_id and r.status in ('completed', 'failed')
    ) as done,
    s.total_instances
from sync_sessions as s
where
    s.status = 'running'
    and s.sync_category = %(category)s
    and s.first_day <= %(last_day)s
    and s.last_day >= %(first_day)s
order by s.started_at
limit 1
