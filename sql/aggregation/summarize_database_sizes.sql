-- The newest period of databases that has one of these days, summed up. What has no average has no size, and is no zero in the sum.
-- Parameters: period_type, first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value, database_name (NULL for all).
-- Returns: the columns of aggregation.listing.SizeSummary, in its order; no row where nothing is known.
with fleet as (
    select i.instance_id from selected_instances(
        %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
    ) as i
),

newest as (
    select a.period_start
    from database_size_aggregations as a
    where
        a.period_type = %(period_type)s
        and a.period_start between %(first_day)s::date - 92 and %(last_day)s::date
        and a.period_end >= %(first_day)s::date
        and a.instance_id in (select instance_id from fleet)
        and (%(database_name)s::text is null or a.database_name = %(database_name)s::text)
    order by a.period_start desc
    limit 1
),

-- of each server first: without a sort, and only its sum is compared with the fleet
servers as (
    select
        a.instance_id,
        max(a.period_end) as period_end,
        count(*) as databases,
        count(a.avg_bytes) as with_size,
        sum(a.avg_bytes) as total_bytes,
        max(a.max_bytes) as max_bytes,
        sum(a.change_bytes) as change_bytes,
        sum(a.expected_count) as expected_days,
        sum(a.data_count) as known_days,
        sum(a.estimated_count) as estimated_days,
        bool_and(a.is_final) as is_final
    from database_size_aggregations as a
    where
        a.period_type = %(period_type)s
        and a.period_start = (select period_start from newest)
        and a.period_start between %(first_day)s::date - 92 and %(last_day)s::date
        and (%(instance_ids)s::integer[] is null or a.instance_id = any(%(instance_ids)s::integer[]))
        and (%(database_name)s::text is null or a.database_name = %(database_name)s::text)
    group by a.instance_id
)

select
    %(period_type)s::text as period_type,
    (select period_start from newest) as period_start,
    max(s.period_end) as period_end,
    sum(s.databases)::integer as total_databases,
    count(*)::integer as total_instances,
    sum(s.total_bytes)::bigint as total_bytes,
    round(sum(s.total_bytes) / nullif(sum(s.with_size), 0))::bigint as avg_bytes,
    max(s.max_bytes) as max_bytes,
    sum(s.change_bytes)::bigint as change_bytes,
    sum(s.expected_days)::bigint as expected_days,
    sum(s.known_days)::bigint as known_days,
    sum(s.estimated_days)::bigint as estimated_days,
    sum(s.databases - s.with_size)::integer as without_size,
    bool_and(s.is_final) as is_final
from servers as s
where s.instance_id in (select instance_id from fleet)
having count(*) > 0
