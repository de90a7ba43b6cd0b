-- The stored tables of an instance that a text names, as database.schema.table, or with the name of a partition at the end; names may hold
-- dots themselves. A schema without a name, as on MySQL, is left out.
-- Parameters: instance_id, named.
-- Returns: database_name, schema_name, table_name, partition_name.
select distinct
    database_name,
    schema_name,
    table_name,
    partition_name
from table_size_stats
where
    instance_id = %(instance_id)s
    and starts_with(%(named)s, database_name || '.')
    and concat_ws('.', database_name, nullif(schema_name, ''), nullif(table_name, ''), nullif(partition_name, '')) = %(named)s
    and table_name <> ''
order by database_name, schema_name, table_name, partition_name
