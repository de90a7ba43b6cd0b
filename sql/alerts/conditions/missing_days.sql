-- Servers of which nothing was measured for days, although they were active. A night in which nothing was measured at all says nothing
-- about a server.
-- Parameters: instance_ids, day, warning_days.
-- Returns: instance_id, database_id (NULL), occurred_on, figures.
with nights as (
    select d.day::date as day
    from generate_series(%(day)s::timestamp - interval '60 days', %(day)s::timestamp, interval '1 day') as d (day)
    where
        exists (
            select 1 from instance_size_stats as s
            where
                s.stat_date = d.day::date
                and s.stat_date between %(day)s::date - 60 and %(day)s
                and s.provenance = 'measured'
        )
),

-- the first of the newest nights: what was measured since is not silent
due as (
    select min(n.day) as first_day
    from (
        select day from nights
        order by day desc
        limit %(warning_days)s
    ) as n
    having count(*) = %(warning_days)s
)

select
    a.instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object(
        'days', (select count(*) from nights as n where n.day > coalesce(k.stat_date, a.active_from - 1)), 'last_day', k.stat_date
    ) as figures
from instance_activity as a
cross join due as u
left join lateral (
    select s.stat_date from instance_size_stats as s
    where
        s.instance_id = a.instance_id
        and s.stat_date between %(day)s::date - 60 and %(day)s
        and s.provenance <> 'estimated'
    order by s.stat_date desc
    limit 1
) as k on true
where
    a.instance_id = any(%(instance_ids)s)
    and a.active_until is null
    and a.active_from <= u.first_day
    and coalesce(k.stat_date, '-infinity') < u.first_day
