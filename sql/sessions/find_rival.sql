-- The running session of this category that already collects some of these days, in this zone or of one of these instances.
-- Parameters: category, first_day, last_day, zone (NULL: the centre), instance_ids (integer[]).
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
    and (
        s.zone is not distinct from %(zone)s::text
        or exists (
            select 1 from sync_instance_records as r
            where r.session_id = s.session_id and r.instance_id = any(%(instance_ids)s::integer[])
        )
    )
order by s.started_at
limit 1
