-- How many periods of databases a list has.
-- Parameters: period_type, first_day, last_day, instance_ids, engines, zone, tag_name, tag_value, database_name (NULL for all).
-- Returns: total.
select count(*)::integer as total
from database_size_aggregations
where
    period_type = %(period_type)s
    and (%(first_day)s::date is null or period_start >= %(first_day)s::date)
    and (%(last_day)s::date is null or period_end <= %(last_day)s::date and period_start <= %(last_day)s::date)
    and (%(instance_ids)s::integer[] is null or instance_id = any(%(instance_ids)s::integer[]))
    and (%(database_name)s::text is null or database_name = %(database_name)s::text)
    and instance_id in (
        select f.instance_id from selected_instances(
            %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
        ) as f
    )
