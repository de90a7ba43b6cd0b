-- How many registered instances there are.
-- Parameters: instance_ids, engines, zone, tag_name, tag_value, is_active (NULL for all).
-- Returns: one row.
select count(*)
from instances as i
where
    i.deleted_at is null
    and (%(instance_ids)s::integer[] is null or i.instance_id = any(%(instance_ids)s::integer[]))
    and (%(engines)s::text[] is null or i.engine = any(%(engines)s::text[]))
    and (%(zone)s::text is null or coalesce(i.zone, 'centre') = %(zone)s::text)
    and (
        %(tag_name)s::text is null
        or i.tags ->> %(tag_name)s::text = coalesce(%(tag_value)s::text, i.tags ->> %(tag_name)s::text)
    )
    and (%(is_active)s::boolean is null or i.is_active = %(is_active)s::boolean)
