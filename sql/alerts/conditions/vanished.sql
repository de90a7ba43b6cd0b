-- Databases that are gone, and that a listing of a later day did not have either. A renamed one is not gone.
-- Parameters: instance_ids, oldest_day, day.
-- Returns: instance_id, database_id, occurred_on, figures.
select
    a.instance_id,
    a.database_id,
    a.active_until as occurred_on,
    jsonb_build_object('database_name', a.database_name, 'day', a.active_until, 'last_bytes', k.total_bytes) as figures
from database_activity as a
left join lateral (
    select h.total_bytes from database_size_stats as h
    where
        h.instance_id = a.instance_id
        and h.database_name = a.database_name
        and h.stat_date between a.active_until - 14 and a.active_until - 1
        and h.stat_date between %(oldest_day)s::date - 15 and %(day)s
    order by h.stat_date desc
    limit 1
) as k on true
where
    a.active_until between %(oldest_day)s::date - 1 and %(day)s::date - 1
    and a.instance_id = any(%(instance_ids)s)
    and not exists (
        select 1 from database_activity as n
        where
            n.instance_id = a.instance_id
            and (n.database_id = a.database_id or n.database_name = a.database_name)
            and n.active_from >= a.active_until
    )
    and exists (
        select 1 from instance_size_stats as t
        where
            t.instance_id = a.instance_id
            and t.stat_date > a.active_until
            and t.stat_date between %(oldest_day)s and %(day)s
            and t.provenance = 'measured'
    )
