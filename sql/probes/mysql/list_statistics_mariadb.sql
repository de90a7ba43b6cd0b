-- InnoDB tables and partitions of a schema in the system tablespace of a MariaDB server, with the optimizer's statistics of their size,
-- which is all that the server reports. Statistics are updated once a tenth of the rows changed, so they may stay outdated indefinitely; a
-- restart forgets how many rows changed. Tables are found by InnoDB's encoded names. Full-text index tables have no visible size.
-- Parameters: database_name.
-- Returns: database_name, table_name, total_bytes (NULL: not known yet), free_bytes of the whole system tablespace.
with shared_tables as (
    select cast(name as binary) as name_bytes
    from information_schema.innodb_sys_tables
    where space_type <> 'Single'
)

select
    table_schema as database_name,
    table_name,
    cast(nullif(data_length, 0) + index_length as signed) as total_bytes,
    cast(coalesce(data_free, 0) as signed) as free_bytes
from information_schema.partitions
where
    table_schema = %(database_name)s
    and concat(
        cast(convert(table_schema using filename) as binary),
        '/',
        cast(convert(table_name using filename) as binary),
        coalesce(concat('#P#', cast(convert(partition_name using filename) as binary)), ''),
        coalesce(concat('#SP#', cast(convert(subpartition_name using filename) as binary)), '')
    ) in (select s.name_bytes from shared_tables as s)
