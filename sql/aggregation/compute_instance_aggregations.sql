-- Compute these periods from their complete days, for every instance that has a day, a gap or an aggregation in them. A day with a
-- missing database is not used, because the missing database would look like a shrink.
-- Parameters: those of compute_database_aggregations.
-- Returns: the columns of instance_size_aggregations but calculated_at. The average before the first period as there.
with days as (
    select
        instance_id,
        case
            when %(first_start)s::date = %(last_start)s::date then 2
            else (stat_date - %(first_start)s::date) / %(length)s + 2
        end as number,
        total_bytes,
        array[stat_date - date '2000-01-01', total_bytes] as dated_bytes,
        provenance,
        database_count
    from instance_size_stats
    where stat_date >= %(first_start)s and stat_date < %(end_day)s and database_count = expected_count
    union all
    select
        instance_id,
        (stat_date - %(first_start)s::date) / %(length)s + 2,
        null,
        null,
        null,
        null
    from instance_size_stats
    where stat_date >= %(first_start)s and stat_date < %(end_day)s and database_count < expected_count
    union all
    select
        instance_id,
        (stat_date - %(first_start)s::date) / %(length)s + 2,
        null,
        null,
        null,
        null
    from capacity_gaps
    where closed_by is null and stat_date >= %(first_start)s and stat_date < %(end_day)s
    union all
    select
        instance_id,
        (period_start - %(first_start)s::date) / %(length)s + 2,
        null,
        null,
        null,
        null
    from instance_size_aggregations
    where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
),

periods as (
    select
        instance_id,
        number,
        round(avg(total_bytes))::bigint as avg_bytes,
        max(total_bytes) as max_bytes,
        min(total_bytes) as min_bytes,
        (min(dated_bytes))[2] as opening_bytes,
        (max(dated_bytes))[2] as closing_bytes,
        count(total_bytes)::integer as data_count,
        (count(*) filter (where provenance = 'estimated'))::integer as estimated_count,
        round(avg(database_count), 2)::numeric(12, 2) as avg_database_count,
        max(database_count) as max_database_count,
        min(database_count) as min_database_count
    from days
    group by instance_id, number
),

previous as (
    select exists(
        select 1 from instance_size_aggregations
        where period_type = %(period_type)s and period_start = %(previous_start)s
    ) as is_stored
),

averages as (
    select
        instance_id,
        number,
        avg_bytes
    from periods
    where (%(starts)s::date[])[number] = any(%(kept_starts)s::date[]) and number < cardinality(%(starts)s::date[]) - 1
    union all
    select
        instance_id,
        case
            when period_start = %(previous_start)s then 1
            else (period_start - %(first_start)s::date) / %(length)s + 2
        end,
        avg_bytes
    from instance_size_aggregations
    where
        period_type = %(period_type)s
        and period_start between %(previous_start)s and %(last_start)s
        and period_start <> all(%(kept_starts)s::date[])
    union all
    select
        instance_id,
        1,
        round(avg(total_bytes))::bigint
    from instance_size_stats
    where
        stat_date >= %(previous_start)s and stat_date < %(first_start)s and database_count = expected_count
        and not (select is_stored from previous)
    group by instance_id
)

select
    p.instance_id,
    %(period_type)s as period_type,
    (%(starts)s::date[])[p.number] as period_start,
    (%(starts)s::date[])[p.number + 1] - 1 as period_end,
    p.avg_bytes,
    p.max_bytes,
    p.min_bytes,
    p.opening_bytes,
    p.closing_bytes,
    p.data_count,
    least((%(starts)s::date[])[p.number + 1], %(today)s::date + 1) - (%(starts)s::date[])[p.number] as expected_count,
    p.estimated_count,
    p.avg_bytes - b.avg_bytes as change_bytes,
    round(100.0 * (p.avg_bytes - b.avg_bytes) / nullif(b.avg_bytes, 0), 2)::numeric(24, 2) as change_percent,
    p.avg_database_count,
    p.max_database_count,
    p.min_database_count,
    case
        when p.avg_bytes is null or coalesce(b.avg_bytes, 0) = 0 then null
        when (p.avg_bytes - b.avg_bytes)::numeric * 20 > b.avg_bytes then 'growing'
        when (p.avg_bytes - b.avg_bytes)::numeric * 20 < -b.avg_bytes then 'shrinking'
        else 'stable'
    end as trend_direction,
    (%(starts)s::date[])[p.number + 1] <= %(today)s::date as is_final
from periods as p
left join averages as b on p.instance_id = b.instance_id and p.number = b.number + 1
