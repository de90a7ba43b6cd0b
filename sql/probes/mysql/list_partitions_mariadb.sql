-- The partitions of the tables of a schema of a MariaDB, subpartitions in their place where there are any.
-- Parameters: database_name.
-- Returns: table_name, partition_name, data_length, index_length, row_estimate, file_key (folder and file, as InnoDB encodes them).
select
    p.table_name,
    coalesce(p.subpartition_name, p.partition_name) as partition_name,
    cast(p.data_length as signed) as data_length,
    cast(p.index_length as signed) as index_length,
    cast(p.table_rows as signed) as row_estimate,
    cast(concat(
        cast(convert(p.table_schema using filename) as binary),
        '/',
        cast(convert(p.table_name using filename) as binary),
        concat('#P#', cast(convert(p.partition_name using filename) as binary)),
        coalesce(concat('#SP#', cast(convert(p.subpartition_name using filename) as binary)), '')
    ) as char) as file_key
from information_schema.partitions as p
where p.table_schema = %(database_name)s and p.partition_name is not null
