-- Compute one period for every instance that has a day, a gap or an aggregation in it, and return the aggregations that differ from the
-- stored ones. Only complete days are used, because a missing database would look like a shrink.
-- Parameters: those of compute_changed_database_aggregations.
-- Returns: the columns of instance_size_aggregations without calculated_at, and stored (the stored row, NULL if it is missing).
with sizes as (
    select
        instance_id,
        round(avg(total_bytes))::bigint as avg_bytes,
        max(total_bytes) as max_bytes,
        min(total_bytes) as min_bytes,
        (array_agg(total_bytes order by stat_date))[1] as opening_bytes,
        (array_agg(total_bytes order by stat_date desc))[1] as closing_bytes,
        count(*)::integer as data_count,
        (count(*) filter (where provenance = 'estimated'))::integer as estimated_count,
        round(avg(database_count), 2)::numeric(12, 2) as avg_database_count,
        max(database_count) as max_database_count,
        min(database_count) as min_database_count
    from instance_size_stats
    where stat_date >= %(start)s and stat_date < %(end_day)s and database_count = expected_count
    group by instance_id
),

subjects as (
    select instance_id from instance_size_stats
    where stat_date >= %(start)s and stat_date < %(end_day)s
    union
    select instance_id from capacity_gaps
    where closed_by is null and stat_date >= %(start)s and stat_date < %(end_day)s
    union
    select instance_id from instance_size_aggregations
    where period_type = %(period_type)s and period_start = %(start)s
),

averages_before as (
    select
        instance_id,
        avg_bytes
    from instance_size_aggregations
    where period_type = %(period_type)s and period_start = %(previous_start)s
    union all
    select
        instance_id,
        round(avg(total_bytes))::bigint
    from instance_size_stats
    where
        stat_date >= %(previous_start)s and stat_date < %(start)s and database_count = expected_count
        and not exists (select 1 from instance_size_aggregations where period_type = %(period_type)s and period_start = %(previous_start)s)
    group by instance_id
),

computed as (
    select
        u.instance_id,
        %(period_type)s as period_type,
        %(start)s::date as period_start,
        %(end_day)s::date - 1 as period_end,
        s.avg_bytes,
        s.max_bytes,
        s.min_bytes,
        s.opening_bytes,
        s.closing_bytes,
        coalesce(s.data_count, 0) as data_count,
        least(%(end_day)s::date, %(today)s::date + 1) - %(start)s::date as expected_count,
        coalesce(s.estimated_count, 0) as estimated_count,
        s.avg_bytes - b.avg_bytes as change_bytes,
        round(100.0 * (s.avg_bytes - b.avg_bytes) / nullif(b.avg_bytes, 0), 2)::numeric(24, 2) as change_percent,
        s.avg_database_count,
        s.max_database_count,
        s.min_database_count,
        case
            when s.avg_bytes is null or coalesce(b.avg_bytes, 0) = 0 then null
            when (s.avg_bytes - b.avg_bytes)::numeric * 20 > b.avg_bytes then 'growing'
            when (s.avg_bytes - b.avg_bytes)::numeric * 20 < -b.avg_bytes then 'shrinking'
            else 'stable'
        end as trend_direction,
        %(end_day)s::date <= %(today)s::date as is_final
    from subjects as u
    left join sizes as s on u.instance_id = s.instance_id
    left join averages_before as b on u.instance_id = b.instance_id
)

select
    c.*,
    a as stored
from computed as c
left join instance_size_aggregations as a
    on c.instance_id = a.instance_id and a.period_type = %(period_type)s and a.period_start = %(start)s
where
    row(c.*) is distinct from row(
        a.instance_id, a.period_type, a.period_start, a.period_end, a.avg_bytes, a.max_bytes, a.min_bytes, a.opening_bytes, a.closing_bytes,
        a.data_count, a.expected_count, a.estimated_count, a.change_bytes, a.change_percent, a.avg_database_count, a.max_database_count,
        a.min_database_count, a.trend_direction, a.is_final
    )
    and (a.instance_id is null or c.data_count >= a.data_count or %(is_kept)s)
