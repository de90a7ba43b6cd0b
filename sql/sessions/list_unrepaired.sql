-- Instances with missing sizes that a retry may fix, by the ended session that attempted them last. None of a zone while a session still
-- collects the day in it; cancelled sessions are excluded. Reasons that only a person can fix are excluded; those that are fixed by a
-- change of the credential or the instance are excluded only until that change.
-- Parameters: day, needs_a_person, cured_by_a_change (text[] of reasons).
-- Returns: session_id, completed_at, retries (how many came before), zone, instance_names; one row per session and zone.
with recursive chain as (
    select
        session_id,
        0 as retries
    from sync_sessions
    where
        retry_of is null
        and sync_category = 'capacity'
        and %(day)s between first_day and last_day
        and started_at > %(day)s::timestamp - interval '1 day'  -- no session begins before its day; the margin is for clocks that differ
    union all
    select
        s.session_id,
        c.retries + 1
    from sync_sessions as s
    inner join chain as c on s.retry_of = c.session_id
),

latest as (
    select distinct on (r.instance_id)
        r.instance_id,
        r.status as record_status,
        s.session_id,
        s.status,
        s.completed_at,
        c.retries
    from sync_instance_records as r
    inner join sync_sessions as s on r.session_id = s.session_id
    inner join chain as c on s.session_id = c.session_id
    where %(day)s between s.first_day and s.last_day
    order by r.instance_id asc, s.started_at desc
),

missing as (
    select distinct g.instance_id
    from capacity_gaps as g
    inner join latest as l on g.instance_id = l.instance_id
    inner join instances as i on g.instance_id = i.instance_id
    inner join credentials as c on i.credential_id = c.credential_id
    where
        g.stat_date = %(day)s
        and g.closed_by is null
        and (
            not g.reason = any(%(needs_a_person)s::text[])
            or (g.reason = any(%(cured_by_a_change)s::text[]) and greatest(i.updated_at, c.updated_at) > l.completed_at)
        )
)

select
    l.session_id,
    l.completed_at,
    l.retries,
    i.zone,
    array_agg(i.name order by i.name) as instance_names
from latest as l
inner join instances as i on l.instance_id = i.instance_id
left join missing as a on l.instance_id = a.instance_id
where
    i.is_active
    and l.status in ('completed', 'failed')
    and (
        a.instance_id is not null
        or (
            l.record_status <> 'completed'
            and not exists (select 1 from capacity_gaps as g where g.instance_id = l.instance_id and g.stat_date = %(day)s)
            and not exists (select 1 from database_size_stats as s where s.instance_id = l.instance_id and s.stat_date = %(day)s)
        )
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
group by l.session_id, l.completed_at, l.retries, i.zone
order by l.completed_at
