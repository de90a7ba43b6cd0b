-- The databases and days that are missing or estimated, and may be recovered from the server's own history.
-- Parameters: instance_id, first_day, last_day (inclusive).
-- Returns: database_name, stat_date.
select
    database_name,
    stat_date
from capacity_gaps
where
    closed_by is null
    and database_name is not null
    and instance_id = %(instance_id)s
    and stat_date between %(first_day)s and %(last_day)s
union
select
    database_name,
    stat_date
from database_size_stats
where instance_id = %(instance_id)s and stat_date between %(first_day)s and %(last_day)s and provenance = 'estimated'
