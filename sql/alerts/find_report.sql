-- The report of a week.
-- Parameters: week_start.
-- Returns: sections; no row if it was not made.
select sections
from weekly_reports
where week_start = %(week_start)s
