-- The newest period of instances that has one of these days, summed up. What has no average has no size, and is no zero in the sum.
-- Parameters: period_type, first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value (NULL for all).
-- Returns: the columns of aggregation.listing.SizeSummary, in its order; no row where nothing is known.
with fleet as (
    select i.instance_id from selected_instances(
        %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
    ) as i
),

newest as (
    select a.period_start
    from instance_size_aggregations as a
    where
        a.period_type = %(period_type)s
        and a.period_start between %(first_day)s::date - 92 and %(last_day)s::date
        and a.period_end >= %(first_day)s::date
        and a.instance_id in (select instance_id from fleet)
    order by a.period_start desc
    limit 1
)

select
    %(period_type)s::text as period_type,
    a.period_start,
    max(a.period_end) as period_end,
    sum(a.max_database_count)::integer as total_databases,
    count(*)::integer as total_instances,
    sum(a.avg_bytes)::bigint as total_bytes,
    round(avg(a.avg_bytes))::bigint as avg_bytes,
    max(a.max_bytes) as max_bytes,
    sum(a.change_bytes)::bigint as change_bytes,
    sum(a.expected_count)::bigint as expected_days,
    sum(a.data_count)::bigint as known_days,
    sum(a.estimated_count)::bigint as estimated_days,
    (count(*) filter (where a.avg_bytes is null))::integer as without_size,
    bool_and(a.is_final) as is_final
from instance_size_aggregations as a
where
    a.period_type = %(period_type)s
    and a.period_start = (select period_start from newest)
    and a.period_start between %(first_day)s::date - 92 and %(last_day)s::date
    and a.instance_id in (select instance_id from fleet)
group by a.period_start
