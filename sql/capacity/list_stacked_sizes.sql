-- What a server consists of, day by day: the databases that were largest on any of these days, and all others together.
-- Parameters: instance_id, first_day, last_day (inclusive), most (databases with a name of their own).
-- Returns: the fields of StackedSize. A day without sizes has no row; is_complete is false where an expected database is missing.
with sizes as (
    select
        stat_date,
        database_name,
        total_bytes
    from database_size_stats
    where instance_id = %(instance_id)s and stat_date between %(first_day)s and %(last_day)s
),

largest as (
    select database_name from sizes
    group by database_name
    order by max(total_bytes) desc, database_name
    limit %(most)s
)

select
    s.stat_date,
    l.database_name,
    sum(s.total_bytes)::bigint as total_bytes,
    coalesce(bool_and(t.database_count = t.expected_count), false) as is_complete
from sizes as s
left join largest as l on s.database_name = l.database_name
left join instance_size_stats as t
    on t.instance_id = %(instance_id)s and s.stat_date = t.stat_date and t.stat_date between %(first_day)s and %(last_day)s
group by s.stat_date, l.database_name
order by s.stat_date, l.database_name
