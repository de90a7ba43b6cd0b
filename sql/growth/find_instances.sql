-- The instances of a name, or with a value of a tag; also those that have left the fleet.
-- Parameters: instance_name, tag_name (NULL unless by it), tag_value (NULL: without the tag).
-- Returns: instance_id.
select i.instance_id
from instances as i
where
    i.name = %(instance_name)s::text
    or (%(tag_name)s::text is not null and i.tags ->> %(tag_name)s::text is not distinct from %(tag_value)s::text)
