-- The periods that must be recomputed, because their days have changed, or because they were not over and a day has passed.
-- Parameters: period_type, today, daily_from (daily periods before it are not kept).
-- Returns: period_start.
select distinct period_start
from stale_periods
where
    period_type = %(period_type)s
    and due_on <= %(today)s
    and (period_type <> 'daily' or period_start >= %(daily_from)s)
order by period_start
