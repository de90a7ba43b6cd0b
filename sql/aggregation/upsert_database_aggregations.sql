-- Write what the days say of these periods, and only where it is news. A period whose days are not all kept any more is never written
-- with fewer of them. What the last period changes in the one after it follows.
-- Parameters: computed (the statement compute_database_aggregations, whose parameters are given too).
-- Returns: instance_id, written (rows written of the instance).
with written as (
    insert into database_size_aggregations as a (
        instance_id, database_name, period_type, period_start, period_end, avg_bytes, max_bytes, min_bytes,
        opening_bytes, closing_bytes, data_count, expected_count, estimated_count, change_bytes, change_percent, is_final
    )
{computed}
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
        where
        (
            a.period_end, a.avg_bytes, a.max_bytes, a.min_bytes, a.opening_bytes, a.closing_bytes,
            a.data_count, a.expected_count, a.estimated_count, a.change_bytes, a.change_percent, a.is_final
        )
        is distinct from
        (
            excluded.period_end, excluded.avg_bytes, excluded.max_bytes, excluded.min_bytes, excluded.opening_bytes, excluded.closing_bytes,
            excluded.data_count, excluded.expected_count, excluded.estimated_count, excluded.change_bytes, excluded.change_percent, excluded.is_final
        )
        and (excluded.data_count >= a.data_count or a.period_start = any(%(kept_starts)s::date[]))
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
        w.period_start = %(last_start)s
        and n.period_type = %(period_type)s
        and n.period_start = %(end_day)s
        and n.instance_id = w.instance_id and n.database_name = w.database_name
        and n.change_bytes is distinct from n.avg_bytes - w.avg_bytes
)

select
    instance_id,
    count(*)::integer as written
from written
group by instance_id
