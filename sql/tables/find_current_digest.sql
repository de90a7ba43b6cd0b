-- The digest of the sizes that are valid now in this month: those of its newest observation with sizes.
-- Parameters: instance_id, database_name, day, month_start.
-- Returns: sizes_digest; no row at the beginning of a month.
select sizes_digest
from table_size_observations
where
    instance_id = %(instance_id)s
    and database_name = %(database_name)s
    and stat_date between %(month_start)s and %(day)s
    and reason is null
order by stat_date desc
limit 1
