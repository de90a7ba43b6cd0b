-- Servers whose tables could not all be read on a day and may be on a retry, by the ended session that probed them last. None of a zone
-- while a session still reads tables of the day in it. A reason that only a person can cure waits for the next week.
-- Parameters: day, needs_a_person (text[] of reasons).
-- Returns: session_id, completed_at, retries (how many came before), zone, instance_names; one row for each session and zone.
with recursive chain as (
    select
        session_id,
        0 as retries
    from sync_sessions
    where sync_category = 'tables' and first_day = %(day)s and retry_of is null
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
    order by r.instance_id asc, s.started_at desc
)

select
    l.session_id,
    l.completed_at,
    l.retries,
    i.zone,
    array_agg(i.name order by i.name) as instance_names
from latest as l
inner join instances as i on l.instance_id = i.instance_id
where
    i.is_active
    and l.status in ('completed', 'failed')
    and (
        exists (
            select 1 from table_size_observations as o
            where
                o.instance_id = l.instance_id
                and o.stat_date = %(day)s
                and o.reason is not null
                and not o.reason = any(%(needs_a_person)s::text[])
        )
        -- its run died before it wrote anything
        or (
            l.record_status <> 'completed'
            and not exists (select 1 from table_size_observations as o where o.instance_id = l.instance_id and o.stat_date = %(day)s)
        )
    )
    and not exists (
        select 1 from sync_sessions as s
        where
            s.status = 'running'
            and s.sync_category = 'tables'
            and s.first_day = %(day)s
            and (
                s.zone is not distinct from i.zone
                or exists (select 1 from sync_instance_records as r where r.session_id = s.session_id and r.instance_id = i.instance_id)
            )
    )
group by l.session_id, l.completed_at, l.retries, i.zone
order by l.completed_at
