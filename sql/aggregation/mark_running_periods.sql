-- Periods that are not over must be computed again on their next day, which is one more that is expected, and when they are over.
-- Parameters: period_type, starts (date[]), due_on.
-- Returns: nothing.
insert into stale_periods (period_type, period_start, due_on)
select
    %(period_type)s,
    p.period_start,
    %(due_on)s
from unnest(%(starts)s::date[]) as p (period_start)
