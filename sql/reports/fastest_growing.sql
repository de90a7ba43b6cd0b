-- The databases that grew most over 30 days.
-- Parameters: none.
-- Returns: instance_name, database_name, total_bytes, change_7d_bytes, change_30d_bytes.
select
    instance_name,
    database_name,
    total_bytes,
    change_7d_bytes,
    change_30d_bytes
from database_growth
order by change_30d_bytes desc nulls last
limit 20
