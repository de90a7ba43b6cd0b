-- The periods that must be computed again: their days have changed since they were, or they were running and a day has passed.
-- Parameters: period_type, today.
-- Returns: period_start.
select distinct period_start
from stale_periods
where period_type = %(period_type)s and due_on <= %(today)s
order by period_start
