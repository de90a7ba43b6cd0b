-- The newest of these days that has sizes, from the ends of the indexes.
-- Parameters: first_day (NULL is open), last_day (inclusive).
-- Returns: one row: stat_date (NULL: no day has sizes).
select max(stat_date) as stat_date
from instance_size_stats
where stat_date <= %(last_day)s and (%(first_day)s::date is null or stat_date >= %(first_day)s::date)
