-- Write the volumes of a day that was just measured; volumes of an earlier measurement of these instances and of the day go.
-- Parameters: day, instance_ids (integer[]), volumes (text[]), totals, frees (bigint[]), one each.
-- Returns: nothing.
with measured as (
    select
        m.instance_id,
        m.volume,
        m.total_bytes,
        m.free_bytes
    from unnest(%(instance_ids)s::integer[], %(volumes)s::text[], %(totals)s::bigint[], %(frees)s::bigint[]) as m (
        instance_id, volume, total_bytes, free_bytes
    )
),

gone as (
    delete from instance_volume_stats as s
    where
        s.stat_date = %(day)s
        and s.instance_id = any(%(instance_ids)s::integer[])
        and not exists (select 1 from measured as m where m.instance_id = s.instance_id and m.volume = s.volume)
)

insert into instance_volume_stats (instance_id, stat_date, volume, total_bytes, free_bytes)
select
    m.instance_id,
    %(day)s,
    m.volume,
    m.total_bytes,
    m.free_bytes
from measured as m
on conflict (instance_id, stat_date, volume) do update
    set total_bytes = excluded.total_bytes, free_bytes = excluded.free_bytes
