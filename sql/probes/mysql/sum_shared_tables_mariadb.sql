-- Data and index length of a schema's InnoDB tables and partitions that live in the system tablespace, on MariaDB: found by the encoded
-- name that InnoDB gives them; one that is not found or tells no length is counted as unsized. Full-text index tables tell none to anybody.
-- Parameters: database_name, shared_count.
-- Returns: total_bytes, unsized_count.
with shared_tables as (
    select cast(name as binary) as name_bytes
    from information_schema.innodb_sys_tables
    where space_type <> 'Single'
)

select
    cast(coalesce(sum(data_length + index_length), 0) as signed) as total_bytes,
    cast(abs(%(shared_count)s - count(nullif(data_length, 0))) as signed) as unsized_count
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
