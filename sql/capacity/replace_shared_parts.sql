-- Write the parts of a day that was just measured; parts of an earlier measurement of these instances and of the day go.
-- Parameters: day, instance_ids (integer[]), parts (text[]), totals (bigint[], NULL unknown), details (text[], NULL known), one each.
-- Returns: nothing.
with measured as (
    select
        m.instance_id,
        m.part,
        m.total_bytes,
        m.detail
    from unnest(%(instance_ids)s::integer[], %(parts)s::text[], %(totals)s::bigint[], %(details)s::text[]) as m (
        instance_id, part, total_bytes, detail
    )
),

gone as (
    delete from instance_shared_stats as s
    where
        s.stat_date = %(day)s
        and s.instance_id = any(%(instance_ids)s::integer[])
        and not exists (select 1 from measured as m where m.instance_id = s.instance_id and m.part = s.part)
)

insert into instance_shared_stats (instance_id, stat_date, part, total_bytes, detail)
select
    m.instance_id,
    %(day)s,
    m.part,
    m.total_bytes,
    m.detail
from measured as m
on conflict (instance_id, stat_date, part) do update
    set total_bytes = excluded.total_bytes, detail = excluded.detail
