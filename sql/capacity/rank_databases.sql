-- The largest and the fastest growing databases of each day; growth is against the day before, under the name that the database had then,
-- and NULL where that is unknown.
-- Parameters: days (date[]), days_before (date[], the day before each: the planner sees by it which months are read), most (rows of each
-- ranking and day).
-- Returns: stat_date, instance_name, database_name, total_bytes, change_bytes, size_rank, growth_rank (NULL without growth).
with sizes as (
    select
        s.stat_date,
        s.instance_id,
        s.database_name,
        s.total_bytes,
        s.total_bytes - b.total_bytes as change_bytes
    from database_size_stats as s
    left join database_starts as n
        on s.instance_id = n.instance_id and s.database_name = n.database_name and s.stat_date = n.active_from
    left join database_size_stats as b
        on
            s.instance_id = b.instance_id
            and b.database_name = case when n.instance_id is null then s.database_name else n.name_before end
            and b.stat_date = s.stat_date - 1
            and b.stat_date = any(%(days_before)s::date[])
    where s.stat_date = any(%(days)s::date[])
),

ranked as (
    select
        *,
        row_number() over (partition by stat_date order by total_bytes desc, instance_id, database_name) as size_rank,
        case
            when change_bytes > 0
                then row_number() over (partition by stat_date order by change_bytes desc nulls last, instance_id, database_name)
        end as growth_rank
    from sizes
)

select
    r.stat_date,
    i.name as instance_name,
    r.database_name,
    r.total_bytes,
    r.change_bytes,
    r.size_rank::integer as size_rank,
    r.growth_rank::integer as growth_rank
from ranked as r
inner join instances as i on r.instance_id = i.instance_id
where r.size_rank <= %(most)s or r.growth_rank <= %(most)s
order by r.stat_date, r.size_rank
