-- The active servers with their tags.
-- Parameters: none.
-- Returns: instance_id, tags.
select
    instance_id,
    tags
from instances
where is_active
order by instance_id
