-- The InnoDB files of a schema of a MySQL, holes of page compression not counted; a lost or discarded one has 0 bytes. The files of
-- full-text indexes are those of the table whose identifier is in their names.
-- Parameters: database_name.
-- Returns: file_key (schema and table, as plain text; two tables may share it where names hold a slash or `#p#`), file_bytes, is_index.
with files as (
    select
        name,
        least(file_size, allocated_size) as file_bytes,
        regexp_like(name, '/fts_[0-9a-f]{16}_') as is_index
    from information_schema.innodb_tablespaces
    where
        space_type = 'Single'
        and cast(left(name, char_length(%(database_name)s) + 1) as binary) = cast(concat(%(database_name)s, '/') as binary)
)

select
    convert(coalesce(t.name, f.name) using utf8mb4) as file_key,
    cast(f.file_bytes as signed) as file_bytes,
    f.is_index
from files as f
left join
    information_schema.innodb_tables as t
    on f.is_index and t.table_id = conv(substring(f.name, char_length(%(database_name)s) + 6, 16), 16, 10)
