-- The InnoDB files of a schema of a MariaDB that were opened since its start, holes of page compression not counted. The files of full-text
-- indexes are those of the table whose identifier is in their names.
-- Parameters: database_name.
-- Returns: file_key (folder and file, as InnoDB encodes them), file_bytes, is_index.
with files as (
    select
        substring_index(name, '/', -1) as file_name,
        least(file_size, allocated_size) as file_bytes,
        name regexp '/FTS_[0-9a-f]{16}_' as is_index
    from information_schema.innodb_sys_tablespaces
    where
        instr(name, '/') > 0
        and cast(trim(trailing '@@@' from substring_index(name, '/', 1)) as binary)
        = cast(convert(%(database_name)s using filename) as binary)
),

tables as (
    select
        table_id,
        substring_index(name, '/', -1) as file_name
    from information_schema.innodb_sys_tables
    where
        instr(name, '/') > 0
        and cast(trim(trailing '@@@' from substring_index(name, '/', 1)) as binary)
        = cast(convert(%(database_name)s using filename) as binary)
)

select
    cast(concat(
        cast(convert(%(database_name)s using filename) as binary),
        '/',
        cast(trim(trailing '@@@' from coalesce(t.file_name, f.file_name)) as binary)
    ) as char) as file_key,
    cast(f.file_bytes as signed) as file_bytes,
    f.is_index
from files as f
left join tables as t on f.is_index and t.table_id = conv(substring(f.file_name, 5, 16), 16, 10)
