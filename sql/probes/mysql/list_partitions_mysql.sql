-- The partitions of the tables of a schema of a MySQL, subpartitions in their place where there are any.
-- Parameters: database_name.
-- Returns: table_name, partition_name, data_length, index_length, row_estimate, file_key (in which form InnoDB names tablespaces).
select
    p.table_name,
    coalesce(p.subpartition_name, p.partition_name) as partition_name,
    cast(p.data_length as signed) as data_length,
    cast(p.index_length as signed) as index_length,
    cast(p.table_rows as signed) as row_estimate,
    concat(
        p.table_schema, '/', p.table_name, '#p#', lower(p.partition_name), coalesce(concat('#sp#', lower(p.subpartition_name)), '')
    ) as file_key
from information_schema.partitions as p
where p.table_schema = %(database_name)s and p.partition_name is not null
