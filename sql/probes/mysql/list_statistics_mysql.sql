-- InnoDB tables without a tablespace of their own on MySQL (no tablespace has their name), with the optimizer's statistics of their size,
-- which is all that the server reports. Statistics are updated once a tenth of the rows changed, so they may stay outdated indefinitely; a
-- restart forgets how many rows changed. Partitions always have a tablespace of their own.
-- Parameters: none.
-- Returns: database_name, table_name, total_bytes (NULL: not known yet).
with tablespaces as (
    select cast(name as binary) as name_bytes
    from information_schema.innodb_tablespaces
    where space_type = 'Single'
)

select
    table_schema as database_name,
    table_name,
    cast(nullif(data_length, 0) + index_length as signed) as total_bytes
from information_schema.tables
where
    engine = 'InnoDB'
    and table_schema <> 'mysql'
    and create_options not like '%%partitioned%%'
    and cast(concat(table_schema, '/', table_name) as binary) not in (select t.name_bytes from tablespaces as t)
