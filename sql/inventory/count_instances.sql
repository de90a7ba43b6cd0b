-- How many registered instances there are.
-- Parameters: instance_ids, engines, zone, tag_name, tag_value, is_active (NULL for all).
-- Returns: one row.
select count(*)
from
    selected_instances(
        %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
    ) as i
where %(is_active)s::boolean is null or i.is_active = %(is_active)s::boolean
