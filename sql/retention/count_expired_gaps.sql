-- The number of gaps of expired days.
-- Parameters: before (date).
-- Returns: gaps.
select count(*) as gaps
from capacity_gaps
where stat_date < %(before)s::date
