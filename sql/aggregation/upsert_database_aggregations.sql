-- Write the aggregations of one period that changed. The changes of the period after it follow.
-- Parameters: changed (the statement compute_changed_database_aggregations, whose parameters are given too), next_end_day (the first day
-- after the period that follows).
-- Returns: instance_id, written (rows written of the instance).
with written as (
    insert into database_size_aggregations as a (
        instance_id, database_name, period_type, period_start, period_end, avg_bytes, max_bytes, min_bytes,
        opening_bytes, closing_bytes, data_count, expected_count, estimated_count, change_bytes, change_percent, is_final
    )
    select
        c.instance_id,
        c.database_name,
        c.period_type,
        c.period_start,
        c.period_end,
        c.avg_bytes,
        c.max_bytes,
        c.min_bytes,
        c.opening_bytes,
        c.closing_bytes,
        c.data_count,
        c.expected_count,
        c.estimated_count,
        c.change_bytes,
        c.change_percent,
        c.is_final
    from ({changed}) as c
    on conflict (instance_id, database_name, period_type, period_start) do update
        set
            period_end = excluded.period_end,
            avg_bytes = excluded.avg_bytes,
            max_bytes = excluded.max_bytes,
            min_bytes = excluded.min_bytes,
            opening_bytes = excluded.opening_bytes,
            closing_bytes = excluded.closing_bytes,
            data_count = excluded.data_count,
            expected_count = excluded.expected_count,
            estimated_count = excluded.estimated_count,
            change_bytes = excluded.change_bytes,
            change_percent = excluded.change_percent,
            is_final = excluded.is_final,
            calculated_at = now()
    returning a.*
),

-- The databases that began in the period after it: under a new name if they were renamed then, else without a period before.
next_starts as (
    select
        instance_id,
        database_name,
        case when bool_and(name_before is not null) then (array_agg(name_before order by active_from))[1] end as name_before
    from database_starts
    where active_from >= %(end_day)s and active_from < %(next_end_day)s
    group by instance_id, database_name
),

-- The written averages by the names that their databases have in the period after it.
averages_before as (
    select
        w.instance_id,
        w.database_name,
        w.avg_bytes
    from written as w
    left join next_starts as n on w.instance_id = n.instance_id and w.database_name = n.database_name
    where n.instance_id is null
    union all
    select
        n.instance_id,
        n.database_name,
        w.avg_bytes
    from next_starts as n
    inner join written as w on n.instance_id = w.instance_id and n.name_before = w.database_name
),

following as (
    update database_size_aggregations as n
    set
        change_bytes = n.avg_bytes - b.avg_bytes,
        change_percent = round(100.0 * (n.avg_bytes - b.avg_bytes) / nullif(b.avg_bytes, 0), 2),
        calculated_at = now()
    from averages_before as b
    where
        n.period_type = %(period_type)s
        and n.period_start = %(end_day)s
        and n.instance_id = b.instance_id and n.database_name = b.database_name
        and n.change_bytes is distinct from n.avg_bytes - b.avg_bytes
)

select
    instance_id,
    count(*)::integer as written
from written
group by instance_id
