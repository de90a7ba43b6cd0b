-- The tables of a schema of a MySQL, with their length by the storage engine: files of MyISAM and ARCHIVE, statistics of InnoDB.
-- Parameters: database_name.
-- Returns: table_name, engine (NULL: the definition cannot be read), data_length, index_length, row_estimate (NULL: unknown),
-- file_key (schema and table, in which form InnoDB names tablespaces).
select
    t.table_name,
    t.engine,
    cast(t.data_length as signed) as data_length,
    cast(t.index_length as signed) as index_length,
    cast(t.table_rows as signed) as row_estimate,
    concat(t.table_schema, '/', t.table_name) as file_key
from information_schema.tables as t
where t.table_schema = %(database_name)s and t.table_type not in ('VIEW', 'SYSTEM VIEW')
