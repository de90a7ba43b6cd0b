-- How many periods of instances a list has.
-- Parameters: period_type, first_day, last_day, instance_ids, engines, zone, tag_name, tag_value (NULL for all).
-- Returns: total.
select count(*)::integer as total
from instance_size_aggregations
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
