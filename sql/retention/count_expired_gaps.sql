-- How many gaps are of days that are not kept any more.
-- Parameters: before (date).
-- Returns: gaps.
select count(*) as gaps
from capacity_gaps
where stat_date < %(before)s::date
