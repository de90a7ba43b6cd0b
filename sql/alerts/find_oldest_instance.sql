-- Since when the fleet has been collected: the first day of its oldest active instance.
-- Parameters: none.
-- Returns: active_from; NULL if no instance is active.
select min(active_from) as active_from
from instance_activity
where active_until is null
