-- Instances whose accounts were not read on a day and that a retry may repair, by the ended session that attempted them last. None of a
-- zone while a session still reads the day in it; cancelled sessions are excluded, and so are reasons that only a person can fix.
-- Parameters: day, needs_a_person (text[] of reasons).
-- Returns: session_id, completed_at, retries (how many came before), zone, instance_names; one row per session and zone.
with recursive chain as (
    select
        session_id,
        0 as retries
    from sync_sessions
    where
        retry_of is null
        and sync_category = 'account'
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
        coalesce(r.sync_details ->> 'reason', '') as reason,
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
    and l.record_status <> 'completed'
    and l.reason <> all(%(needs_a_person)s::text[])
    and not exists (select 1 from account_observations as o where o.instance_id = l.instance_id and o.observed_on = %(day)s)
    and not exists (
        select 1 from sync_sessions as s
        where
            s.status = 'running'
            and s.sync_category = 'account'
            and %(day)s between s.first_day and s.last_day
            and (
                s.zone is not distinct from i.zone
                or exists (select 1 from sync_instance_records as r where r.session_id = s.session_id and r.instance_id = i.instance_id)
            )
    )
group by l.session_id, l.completed_at, l.retries, i.zone
order by l.completed_at
