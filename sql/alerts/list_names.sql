-- The names of servers and of their databases, as they are called now.
-- Parameters: subjects (jsonb: instance_id, database_id).
-- Returns: instance_id, database_id, instance_name, database_name.
select distinct
    s.instance_id,
    s.database_id,
    i.name as instance_name,
    n.database_name
from jsonb_to_recordset(%(subjects)s::jsonb) as s (instance_id integer, database_id integer)
inner join instances as i on s.instance_id = i.instance_id
left join lateral (
    select a.database_name from database_activity as a
    where a.instance_id = s.instance_id and a.database_id = s.database_id
    order by a.active_from desc
    limit 1
) as n on true
