-- The databases and tables without a size on a day on which they were asked for.
-- Parameters: day.
-- Returns: instance_name, database_name, schema_name, table_name (NULL: the whole database), reason, detail.
select
    i.name as instance_name,
    o.database_name,
    null as schema_name,
    null as table_name,
    o.reason,
    o.detail
from table_size_observations as o
inner join instances as i on o.instance_id = i.instance_id
where o.stat_date = %(day)s and o.reason is not null
union all
select
    i.name as instance_name,
    o.database_name,
    m.entry ->> 'schema_name' as schema_name,
    m.entry ->> 'table_name' as table_name,
    m.entry ->> 'reason' as reason,
    m.entry ->> 'detail' as detail
from table_size_observations as o
inner join instances as i on o.instance_id = i.instance_id
cross join lateral jsonb_array_elements(o.missing) as m (entry)
where o.stat_date = %(day)s and m.entry ->> 'partition_name' = ''
order by instance_name, database_name, schema_name, table_name
