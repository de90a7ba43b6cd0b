-- Write the aggregations of one period that changed. The changes of the period after it follow.
-- Parameters: changed (the statement compute_changed_database_aggregations, whose parameters are given too).
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

following as (
    update database_size_aggregations as n
    set
        change_bytes = n.avg_bytes - w.avg_bytes,
        change_percent = round(100.0 * (n.avg_bytes - w.avg_bytes) / nullif(w.avg_bytes, 0), 2),
        calculated_at = now()
    from written as w
    where
        n.period_type = %(period_type)s
        and n.period_start = %(end_day)s
        and n.instance_id = w.instance_id and n.database_name = w.database_name
        and n.change_bytes is distinct from n.avg_bytes - w.avg_bytes
)

select
    instance_id,
    count(*)::integer as written
from written
group by instance_id
