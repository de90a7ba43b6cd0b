-- The fastest growing databases and instances of each period with their change and coverage.
-- Parameters: period_type, first_start, last_start, most (rows of each level and period).
-- Returns: level (database or instance), period_start, instance_name, database_name (NULL at instance level), avg_bytes, change_bytes,
-- change_percent, data_count, expected_count, estimated_count; by growth, then by size.
with aggregations as (
    select
        'database' as level,
        period_start,
        instance_id,
        database_name,
        avg_bytes,
        change_bytes,
        change_percent,
        data_count,
        expected_count,
        estimated_count
    from database_size_aggregations
    where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
    union all
    select
        'instance',
        period_start,
        instance_id,
        null,
        avg_bytes,
        change_bytes,
        change_percent,
        data_count,
        expected_count,
        estimated_count
    from instance_size_aggregations
    where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
),

ranked as (
    select
        *,
        row_number() over (
            partition by level, period_start
            order by change_bytes desc nulls last, avg_bytes desc nulls last, instance_id, database_name
        ) as growth_rank
    from aggregations
)

select
    r.level,
    r.period_start,
    i.name as instance_name,
    r.database_name,
    r.avg_bytes,
    r.change_bytes,
    r.change_percent,
    r.data_count,
    r.expected_count,
    r.estimated_count
from ranked as r
inner join instances as i on r.instance_id = i.instance_id
where r.growth_rank <= %(most)s
order by r.level, r.period_start, r.growth_rank
