-- The zones that have active instances, the centre (NULL) first.
-- Parameters: none.
-- Returns: zone.
select distinct i.zone
from instances as i
where i.is_active and i.deleted_at is null
order by i.zone nulls first
