-- Instances whose missing sizes of a day were measured by hand, by the session that attempted them last. They are not listed any more once
-- a run has measured them again. None of a zone while a session collects the day in it.
-- Parameters: day.
-- Returns: session_id, zone, instance_names; one row per session and zone.
select
    l.session_id,
    i.zone,
    array_agg(i.name order by i.name) as instance_names
from instance_size_stats as t
inner join instances as i on t.instance_id = i.instance_id
inner join lateral (
    select s.session_id
    from sync_instance_records as r
    inner join sync_sessions as s on r.session_id = s.session_id
    where
        r.instance_id = t.instance_id
        and s.sync_category = 'capacity'
        and %(day)s between s.first_day and s.last_day
        and s.started_at > %(day)s::timestamp - interval '1 day'  -- no session begins before its day; the margin is for clocks that differ
    order by s.started_at desc
    limit 1
) as l on true
where
    t.stat_date = %(day)s
    and t.session_id is null
    and i.is_active
    and exists (
        select 1 from capacity_gaps as g
        where g.instance_id = t.instance_id and g.stat_date = %(day)s and g.closed_by = 'measured'
    )
    and not exists (
        select 1 from sync_sessions as s
        where
            s.status = 'running'
            and s.sync_category = 'capacity'
            and %(day)s between s.first_day and s.last_day
            and (
                s.zone is not distinct from i.zone
                or exists (select 1 from sync_instance_records as r where r.session_id = s.session_id and r.instance_id = i.instance_id)
            )
    )
group by l.session_id, i.zone
order by l.session_id
