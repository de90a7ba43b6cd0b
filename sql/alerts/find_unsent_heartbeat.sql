-- The newest evaluated day, if the outside was not told of it.
-- Parameters: none.
-- Returns: day; no row if it was told.
select e.day
from alert_evaluations as e
where e.day = (select max(n.day) from alert_evaluations as n) and e.heartbeat_at is null
