-- The databases of servers that were active between two days, and the servers themselves with database_id 0, each with its newest forecast.
-- Parameters: instance_ids, first_day, day.
-- Returns: instance_id, database_id, begins_on, ends_on (exclusive; NULL while it is active), last_made_on (NULL: never forecast), has_day.
with series as (
    select
        instance_id,
        0 as database_id,
        min(active_from) as begins_on,
        null::date as ends_on
    from instance_activity
    where instance_id = any(%(instance_ids)s)
    group by instance_id
    union all
    select
        instance_id,
        database_id,
        min(active_from),
        nullif(max(coalesce(active_until, 'infinity')), 'infinity')
    from database_activity
    where instance_id = any(%(instance_ids)s)
    group by instance_id, database_id
    having min(active_from) <= %(day)s and max(coalesce(active_until, 'infinity')) > %(first_day)s
),

made as (
    select
        instance_id,
        coalesce(database_id, 0) as database_id
    from capacity_forecasts
    where instance_id = any(%(instance_ids)s) and horizon_days = 7 and made_on = %(day)s
)

select
    s.instance_id,
    s.database_id,
    s.begins_on,
    s.ends_on,
    n.made_on as last_made_on,
    m.instance_id is not null as has_day
from series as s
left join made as m on s.instance_id = m.instance_id and s.database_id = m.database_id
-- the newest of each by the unique index, month by month from the newest on; a year of them is not read
left join lateral (
    (
        select f.made_on
        from capacity_forecasts as f
        where s.database_id <> 0 and f.instance_id = s.instance_id and f.database_id = s.database_id and f.horizon_days = 7
        order by f.made_on desc
        limit 1
    )
    union all
    (
        select f.made_on
        from capacity_forecasts as f
        where s.database_id = 0 and f.instance_id = s.instance_id and f.database_id is null and f.horizon_days = 7
        order by f.made_on desc
        limit 1
    )
) as n on true
order by s.instance_id, s.database_id
