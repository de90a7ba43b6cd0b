-- Compute one period for every database that has a day, a gap or an aggregation in it, and return the aggregations that differ from the
-- stored ones. A period whose days have expired in part is not returned with fewer days than before.
-- Parameters: period_type, start, end_day (the first day after the period), previous_start (of the period before), is_kept (whether no day
-- of the period has expired), today.
-- Returns: the columns of database_size_aggregations without calculated_at, and stored (the stored row, NULL if it is missing).
with sizes as (
    select
        instance_id,
        database_name,
        round(avg(total_bytes))::bigint as avg_bytes,
        max(total_bytes) as max_bytes,
        min(total_bytes) as min_bytes,
        (array_agg(total_bytes order by stat_date))[1] as opening_bytes,
        (array_agg(total_bytes order by stat_date desc))[1] as closing_bytes,
        count(*)::integer as data_count,
        (count(*) filter (where provenance = 'estimated'))::integer as estimated_count
    from database_size_stats
    where stat_date >= %(start)s and stat_date < %(end_day)s
    group by instance_id, database_name
),

subjects as (
    select
        instance_id,
        database_name
    from sizes
    union
    select
        instance_id,
        database_name
    from capacity_gaps
    where closed_by is null and database_name is not null and stat_date >= %(start)s and stat_date < %(end_day)s
    union
    select
        instance_id,
        database_name
    from database_size_aggregations
    where period_type = %(period_type)s and period_start = %(start)s
),

-- The databases that began in this period, which have no period before, and those that were renamed in it, whose period before has the
-- old name.
starts as (
    select
        instance_id,
        database_name,
        case when bool_and(name_before is not null) then (array_agg(name_before order by active_from))[1] end as name_before
    from database_starts
    where active_from >= %(start)s and active_from < %(end_day)s
    group by instance_id, database_name
),

-- The stored averages, because their days may have expired. The days of the period before are read only if nothing of it is stored.
averages_before as (
    select
        instance_id,
        database_name,
        avg_bytes
    from database_size_aggregations
    where period_type = %(period_type)s and period_start = %(previous_start)s
    union all
    select
        instance_id,
        database_name,
        round(avg(total_bytes))::bigint
    from database_size_stats
    where
        stat_date >= %(previous_start)s and stat_date < %(start)s
        and not exists (select 1 from database_size_aggregations where period_type = %(period_type)s and period_start = %(previous_start)s)
    group by instance_id, database_name
),

computed as (
    select
        u.instance_id,
        u.database_name,
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
        %(end_day)s::date <= %(today)s::date as is_final
    from subjects as u
    left join sizes as s on u.instance_id = s.instance_id and u.database_name = s.database_name
    left join starts as n on u.instance_id = n.instance_id and u.database_name = n.database_name
    left join averages_before as b
        on
            u.instance_id = b.instance_id
            and b.database_name = case when n.instance_id is null then u.database_name else n.name_before end
)

select
    c.*,
    a as stored
from computed as c
left join database_size_aggregations as a
    on
        c.instance_id = a.instance_id
        and c.database_name = a.database_name
        and a.period_type = %(period_type)s
        and a.period_start = %(start)s
where
    row(c.*) is distinct from row(
        a.instance_id, a.database_name, a.period_type, a.period_start, a.period_end, a.avg_bytes, a.max_bytes, a.min_bytes,
        a.opening_bytes, a.closing_bytes, a.data_count, a.expected_count, a.estimated_count, a.change_bytes, a.change_percent, a.is_final
    )
    and (a.instance_id is null or c.data_count >= a.data_count or %(is_kept)s)
