-- The largest databases of a day. A missing one has the place of its last known size, which is at most 14 days old.
-- Parameters: day, most (rows).
-- Returns: the fields of LargeDatabase.
select
    f.instance_name,
    f.engine,
    f.database_name,
    f.total_bytes,
    f.state,
    f.reason,
    f.known_date,
    f.known_bytes
from fleet_on(%(day)s::date) as f
order by f.known_bytes desc nulls last, f.instance_name, f.database_name
limit %(most)s
