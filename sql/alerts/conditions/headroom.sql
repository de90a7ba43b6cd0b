-- Databases and servers that have used most of their limit on a day. A limit of a server is on its disk, so what belongs to no database
-- counts.
-- Parameters: instance_ids, day, clear_percent.
-- Returns: instance_id, database_id, occurred_on, figures.
with limited as (
    select
        s.instance_id,
        n.database_id,
        s.total_bytes as used_bytes,
        s.growth_limit_bytes as limit_bytes
    from database_size_stats as s
    inner join database_activity as n
        on
            s.instance_id = n.instance_id
            and s.database_name = n.database_name
            and s.stat_date >= n.active_from
            and (n.active_until is null or s.stat_date < n.active_until)
    where
        s.stat_date = %(day)s
        and s.instance_id = any(%(instance_ids)s)
        and s.provenance <> 'estimated'
        and s.growth_limit_bytes is not null
    union all
    select
        s.instance_id,
        null,
        s.total_bytes + coalesce(s.shared_bytes, 0),
        i.capacity_limit_bytes
    from instance_size_stats as s
    inner join instances as i on s.instance_id = i.instance_id
    where
        s.stat_date = %(day)s
        and s.instance_id = any(%(instance_ids)s)
        and s.provenance <> 'estimated'
        and s.database_count = s.expected_count
        and i.capacity_limit_bytes is not null
)

select
    instance_id,
    database_id,
    null::date as occurred_on,
    jsonb_build_object('used_bytes', used_bytes, 'limit_bytes', limit_bytes) as figures
from limited
where used_bytes::numeric * 100 >= limit_bytes::numeric * %(clear_percent)s
