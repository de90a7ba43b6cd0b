-- What the days say of these periods, for every database that has a day, a gap or an aggregation in them.
-- Parameters: period_type, unit (day, week, month or quarter), step (the same as interval), first_start and last_start (first days of
-- the first and the last period), end_day (the day after the last period), previous_start (first day of the period before), today.
-- Returns: the columns of database_size_aggregations but calculated_at. The average before the first period is the stored one where that
-- period is stored, else that of its days, which are read in that case only.
with days as (
    select
        instance_id,
        database_name,
        stat_date,
        total_bytes,
        provenance
    from database_size_stats
    where stat_date >= %(first_start)s and stat_date < %(end_day)s
    union all
    select
        instance_id,
        database_name,
        stat_date,
        total_bytes,
        provenance
    from database_size_stats
    where
        stat_date >= %(previous_start)s and stat_date < %(first_start)s
        and not (
            select exists (
                select 1 from database_size_aggregations where period_type = %(period_type)s and period_start = %(previous_start)s
            )
        )
    union all
    select
        instance_id,
        database_name,
        stat_date,
        null,
        null
    from capacity_gaps
    where closed_by is null and database_name is not null and stat_date >= %(first_start)s and stat_date < %(end_day)s
    union all
    select
        instance_id,
        database_name,
        period_start,
        null,
        null
    from database_size_aggregations
    where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
),

periods as (
    select
        instance_id,
        database_name,
        date_trunc(%(unit)s, stat_date::timestamp)::date as period_start,
        round(avg(total_bytes))::bigint as avg_bytes,
        max(total_bytes) as max_bytes,
        min(total_bytes) as min_bytes,
        (min(array[stat_date - date '2000-01-01', total_bytes]) filter (where total_bytes is not null))[2] as opening_bytes,
        (max(array[stat_date - date '2000-01-01', total_bytes]) filter (where total_bytes is not null))[2] as closing_bytes,
        count(total_bytes)::integer as data_count,
        (count(*) filter (where provenance = 'estimated'))::integer as estimated_count
    from days
    group by instance_id, database_name, date_trunc(%(unit)s, stat_date::timestamp)
),

averages as (
    select
        instance_id,
        database_name,
        (period_start + %(step)s::interval)::date as following_start,
        avg_bytes
    from periods
    union all
    select
        instance_id,
        database_name,
        %(first_start)s::date,
        avg_bytes
    from database_size_aggregations
    where period_type = %(period_type)s and period_start = %(previous_start)s
)

select
    p.instance_id,
    p.database_name,
    %(period_type)s as period_type,
    p.period_start,
    (p.period_start + %(step)s::interval)::date - 1 as period_end,
    p.avg_bytes,
    p.max_bytes,
    p.min_bytes,
    p.opening_bytes,
    p.closing_bytes,
    p.data_count,
    least((p.period_start + %(step)s::interval)::date, %(today)s::date + 1) - p.period_start as expected_count,
    p.estimated_count,
    p.avg_bytes - b.avg_bytes as change_bytes,
    round(100.0 * (p.avg_bytes - b.avg_bytes) / nullif(b.avg_bytes, 0), 2)::numeric(24, 2) as change_percent,
    (p.period_start + %(step)s::interval)::date <= %(today)s::date as is_final
from periods as p
left join averages as b
    on p.instance_id = b.instance_id and p.database_name = b.database_name and p.period_start = b.following_start
where p.period_start >= %(first_start)s
