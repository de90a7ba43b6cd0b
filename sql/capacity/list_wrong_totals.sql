-- Instance totals of these days that are not the sum of their database rows.
-- Parameters: days (date[]).
-- Returns: stat_date, instance_name, total_bytes (NULL: no total), sum_bytes (NULL: no database row).
with sums as (
    select
        stat_date,
        instance_id,
        sum(total_bytes)::bigint as sum_bytes,
        count(*) as database_count
    from database_size_stats
    where stat_date = any(%(days)s::date[])
    group by stat_date, instance_id
),

totals as (
    select
        stat_date,
        instance_id,
        total_bytes,
        database_count
    from instance_size_stats
    where stat_date = any(%(days)s::date[])
)

select
    coalesce(t.stat_date, s.stat_date) as stat_date,
    i.name as instance_name,
    t.total_bytes,
    s.sum_bytes
from totals as t
full join sums as s on t.instance_id = s.instance_id and t.stat_date = s.stat_date
inner join instances as i on coalesce(t.instance_id, s.instance_id) = i.instance_id
where (t.total_bytes, t.database_count) is distinct from (s.sum_bytes, s.database_count)
order by stat_date, instance_name
