-- Databases that on one of these days are far from their last known size of the 14 days before. What grows or shrinks by steps every so
-- often is no news.
-- Parameters: instance_ids, first_day, day, least_percent, least_gib.
-- Returns: instance_id, database_id, occurred_on, figures.
select distinct on (s.instance_id, s.database_id)
    s.instance_id,
    s.database_id,
    s.stat_date as occurred_on,
    jsonb_build_object('bytes_before', b.total_bytes, 'total_bytes', s.total_bytes, 'day_before', b.stat_date, 'day', s.stat_date)
        as figures
from database_histories as s
cross join
    lateral (
        select
            h.total_bytes,
            h.stat_date
        from database_histories as h
        where
            h.instance_id = s.instance_id
            and h.database_id = s.database_id
            and h.stat_date < s.stat_date
            -- bounds that prune table partitions
            and h.stat_date between %(first_day)s::date - 14 and %(day)s
            and h.provenance <> 'estimated'
        order by h.stat_date desc
        limit 1
    ) as b
where
    s.stat_date between %(first_day)s and %(day)s
    and s.instance_id = any(%(instance_ids)s)
    and s.provenance <> 'estimated'
    and b.stat_date >= s.stat_date - 14
    and abs(s.total_bytes - b.total_bytes) >= %(least_gib)s::bigint * 1073741824
    and abs(s.total_bytes - b.total_bytes)::numeric * 100 >= greatest(b.total_bytes, 1)::numeric * %(least_percent)s
    and not exists (
        select 1 from capacity_changes as c
        where
            c.instance_id = s.instance_id
            and c.database_id = s.database_id
            and c.kind = 'recurring'
            and c.known_on between %(day)s::date - 182 and %(day)s
    )
order by s.instance_id, s.database_id, s.stat_date desc
