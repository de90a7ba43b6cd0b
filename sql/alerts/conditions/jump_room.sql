-- Databases and servers whose headroom is small against their largest jump of the year before a day.
-- Parameters: instance_ids, day, clear_percent (of the jump).
-- Returns: instance_id, database_id, occurred_on, figures.
with jumps as (
    select distinct on (instance_id, database_id)
        instance_id,
        database_id,
        change_bytes,
        to_date
    from capacity_changes
    where kind <> 'slope' and change_bytes > 0 and to_date between %(day)s::date - 365 and %(day)s and instance_id = any(%(instance_ids)s)
    order by instance_id, database_id, change_bytes desc, to_date desc
)

select
    r.instance_id,
    r.database_id,
    null::date as occurred_on,
    jsonb_build_object('headroom_bytes', r.headroom_bytes, 'jump_bytes', j.change_bytes, 'jumped_on', j.to_date) as figures
from capacity_runway as r
inner join jumps as j on r.instance_id = j.instance_id and r.database_id is not distinct from j.database_id
where r.made_on > %(day)s::date - 8 and r.headroom_bytes::numeric * 100 < j.change_bytes::numeric * %(clear_percent)s
