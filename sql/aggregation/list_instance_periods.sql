-- Periods of instances, the newest first.
-- Parameters: period_type, first_day and last_day (NULL is open), instance_ids, engines, zone, tag_name, tag_value (NULL for all),
-- after_start and after_id (the last row of the page before, or NULL), skipped, most.
-- Returns: the columns of aggregation.listing.InstancePeriod, in its order.
select
    a.instance_id,
    i.name as instance_name,
    i.engine,
    a.period_type,
    a.period_start,
    a.period_end,
    a.avg_bytes,
    a.max_bytes,
    a.min_bytes,
    a.opening_bytes,
    a.closing_bytes,
    a.data_count,
    a.expected_count,
    a.estimated_count,
    a.change_bytes,
    a.change_percent,
    a.avg_database_count,
    a.max_database_count,
    a.min_database_count,
    a.trend_direction,
    a.is_final,
    a.calculated_at
from (
    select * from instance_size_aggregations
    where
        period_type = %(period_type)s
        and (%(first_day)s::date is null or period_start >= %(first_day)s::date)
        and (%(last_day)s::date is null or period_end <= %(last_day)s::date and period_start <= %(last_day)s::date)
        and (%(instance_ids)s::integer[] is null or instance_id = any(%(instance_ids)s::integer[]))
        and instance_id in (
            select f.instance_id from selected_instances(
                %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
            ) as f
        )
        -- the first comparison lets the planner leave out the months after the page
        and (
            %(after_start)s::date is null
            or period_start <= %(after_start)s::date
            and (period_start < %(after_start)s::date or instance_id > %(after_id)s::integer)
        )
    order by period_start desc, instance_id
    limit %(most)s offset %(skipped)s
) as a
inner join instances as i on a.instance_id = i.instance_id
order by a.period_start desc, a.instance_id
