-- Data and index length of a schema's InnoDB tables and partitions without a tablespace of their own, on MySQL: those that no tablespace is
-- named after. More of them than the server says there are would be a misread name, so these are counted as unsized.
-- Parameters: database_name, shared_count.
-- Returns: total_bytes, unsized_count.
with tablespaces as (
    select cast(name as binary) as name_bytes
    from information_schema.innodb_tablespaces
    where space_type = 'Single'
),

innodb_tables as (
    select table_name
    from information_schema.tables
    where table_schema = %(database_name)s and engine = 'InnoDB'
),

shared_tables as (
    select nullif(data_length, 0) + index_length as total_bytes
    from information_schema.partitions
    where
        table_schema = %(database_name)s
        and table_name in (select i.table_name from innodb_tables as i)
        and cast(
            concat(
                table_schema,
                '/',
                table_name,
                lower(coalesce(concat('#p#', partition_name), '')),
                lower(coalesce(concat('#sp#', subpartition_name), ''))
            ) as binary
        ) not in (select t.name_bytes from tablespaces as t)
)

select
    cast(coalesce(sum(total_bytes), 0) as signed) as total_bytes,
    cast(count(*) - least(count(total_bytes), %(shared_count)s) as signed) as unsized_count
from shared_tables
