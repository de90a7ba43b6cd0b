-- The days that hold an open gap between two known sizes.
-- Parameters: interpolations (the statement interpolate_gaps, whose parameters are given too).
-- Returns: stat_date.
select distinct b.stat_date
from (
    {interpolations}
) as b
order by b.stat_date
