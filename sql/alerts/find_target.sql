-- The identifiers of a rule, a server and a database by their names.
-- Parameters: rule_name, instance_name, database_name (each may be NULL).
-- Returns: one row: rule_id, instance_id, database_id (NULL: there is none of this name).
select
    (select r.rule_id from alert_rules as r where r.rule_name = %(rule_name)s) as rule_id,
    i.instance_id,
    (
        select d.database_id from database_activity as d
        where d.instance_id = i.instance_id and d.database_name = %(database_name)s
        order by d.active_from desc
        limit 1
    ) as database_id
from (select 1 as place) as p
left join instances as i on p.place = 1 and i.name = %(instance_name)s and i.deleted_at is null
