-- The newest known change of slope of each series by a day.
-- Parameters: instance_ids, day.
-- Returns: instance_id, database_id (0 for the server), known_on.
select
    instance_id,
    coalesce(database_id, 0) as database_id,
    max(known_on) as known_on
from capacity_changes
where instance_id = any(%(instance_ids)s) and kind = 'slope' and known_on <= %(day)s
group by instance_id, database_id
