-- End the intervals of databases that were dropped or renamed. A database that left the inventory was part of it on every day before,
-- and on the day itself if it was still listed then.
-- Parameters: instance_id, day, deactivated, replaced (text[]: names that left; names that another database or name took over).
-- Returns: nothing.
update database_activity as a
set
    active_until = greatest(
        a.active_from,
        case when a.database_name = any(%(deactivated)s::text[]) then greatest(%(day)s, d.last_seen_date + 1) else %(day)s end
    )
from instance_databases as d
where
    a.instance_id = %(instance_id)s
    and a.database_name = any(%(deactivated)s::text[] || %(replaced)s::text[])
    and a.active_until is null
    and a.instance_id = d.instance_id
    and a.database_name = d.database_name
