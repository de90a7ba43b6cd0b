-- Compute these periods from their days, for every database that has a day, a gap or an aggregation in them.
-- Parameters: period_type, starts (date[]: the first days of the period before, of the periods, and of the period after), length (days of
-- one period: there are several only where all are of one length), first_start and last_start (of the periods), end_day (the first day
-- after them), previous_start (of the period before), kept_starts (date[]: those of the periods whose days are all kept), today.
-- Returns: the columns of database_size_aggregations but calculated_at. The average before a period is the stored one where its days have
-- expired; that before the first period also when that period is stored, so that its days are read only when it is not. What only expects
-- a row of a period (a gap, an aggregation) is a day without a size. The number of a single period is no expression: dividing 837,000
-- times costs an eighth of the statement.
with days as (
    select
        instance_id,
        database_name,
        case
            when %(first_start)s::date = %(last_start)s::date then 2
            else (stat_date - %(first_start)s::date) / %(length)s + 2
        end as number,
        total_bytes,
        array[stat_date - date '2000-01-01', total_bytes] as dated_bytes,
        provenance
    from database_size_stats
    where stat_date >= %(first_start)s and stat_date < %(end_day)s
    union all
    select
        instance_id,
        database_name,
        (stat_date - %(first_start)s::date) / %(length)s + 2,
        null,
        null,
        null
    from capacity_gaps
    where closed_by is null and database_name is not null and stat_date >= %(first_start)s and stat_date < %(end_day)s
    union all
    select
        instance_id,
        database_name,
        (period_start - %(first_start)s::date) / %(length)s + 2,
        null,
        null,
        null
    from database_size_aggregations
    where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
),

periods as (
    select
        instance_id,
        database_name,
        number,
        round(avg(total_bytes))::bigint as avg_bytes,
        max(total_bytes) as max_bytes,
        min(total_bytes) as min_bytes,
        (min(dated_bytes))[2] as opening_bytes,
        (max(dated_bytes))[2] as closing_bytes,
        count(total_bytes)::integer as data_count,
        (count(*) filter (where provenance = 'estimated'))::integer as estimated_count
    from days
    group by instance_id, database_name, number
),

-- The databases that began in these periods, which have no period before, and those that got their name in them, whose period before
-- goes by the old one.
starts as (
    select
        instance_id,
        database_name,
        number,
        case when bool_and(name_before is not null) then (array_agg(name_before order by active_from))[1] end as name_before
    from (
        select
            s.instance_id,
            s.database_name,
            s.active_from,
            s.name_before,
            (s.active_from - %(first_start)s::date) / %(length)s + 2 as number
        from database_starts as s
        where s.active_from >= %(first_start)s and s.active_from < %(end_day)s
    ) as s
    group by instance_id, database_name, number
),

previous as (
    select exists(
        select 1 from database_size_aggregations
        where period_type = %(period_type)s and period_start = %(previous_start)s
    ) as is_stored
),

averages as (
    select
        instance_id,
        database_name,
        number,
        avg_bytes
    from periods
    where (%(starts)s::date[])[number] = any(%(kept_starts)s::date[]) and number < cardinality(%(starts)s::date[]) - 1
    union all
    select
        instance_id,
        database_name,
        case
            when period_start = %(previous_start)s then 1
            else (period_start - %(first_start)s::date) / %(length)s + 2
        end,
        avg_bytes
    from database_size_aggregations
    where
        period_type = %(period_type)s
        and period_start between %(previous_start)s and %(last_start)s
        and period_start <> all(%(kept_starts)s::date[])
    union all
    select
        instance_id,
        database_name,
        1,
        round(avg(total_bytes))::bigint
    from database_size_stats
    where
        stat_date >= %(previous_start)s and stat_date < %(first_start)s
        and not (select is_stored from previous)
    group by instance_id, database_name
)

select
    p.instance_id,
    p.database_name,
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
    (%(starts)s::date[])[p.number + 1] <= %(today)s::date as is_final
from periods as p
left join starts as n on p.instance_id = n.instance_id and p.database_name = n.database_name and p.number = n.number
left join averages as b
    on
        p.instance_id = b.instance_id
        and b.database_name = case when n.instance_id is null then p.database_name else n.name_before end
        and p.number = b.number + 1
