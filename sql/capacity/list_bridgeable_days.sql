-- The days that hold an open gap between two known sizes.
-- Parameters: bridges (the statement bridge_gaps, whose parameters are given too).
-- Returns: stat_date.
select distinct b.stat_date
from (
{bridges}
) as b
order by b.stat_date
