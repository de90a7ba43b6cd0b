-- Databases and servers whose headroom is smaller than their largest jump of the year before a day: one more such jump fills them.
-- Parameters: day.
-- Returns: instance_name, database_name (NULL for the server), headroom_bytes, jump_bytes, jumped_on.
with jumps as (
    select distinct on (instance_id, database_id)
        instance_id,
        database_id,
        change_bytes,
        to_date
    from capacity_changes
    where kind <> 'slope' and change_bytes > 0 and to_date between %(day)s::date - 365 and %(day)s
    order by instance_id, database_id, change_bytes desc, to_date desc
)

select
    r.instance_name,
    r.database_name,
    r.headroom_bytes,
    j.change_bytes as jump_bytes,
    j.to_date as jumped_on
from capacity_runway as r
inner join jumps as j on r.instance_id = j.instance_id and r.database_id is not distinct from j.database_id
where r.headroom_bytes < j.change_bytes
order by r.headroom_bytes - j.change_bytes, r.instance_name, r.database_name nulls first
