-- The newest day that has sizes, from the ends of the indexes.
-- Parameters: today.
-- Returns: one row: stat_date (NULL: no day has sizes yet).
select max(stat_date) as stat_date
from instance_size_stats
where stat_date <= %(today)s
