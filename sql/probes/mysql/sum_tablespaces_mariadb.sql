-- The tablespace files of each schema on MariaDB, without the holes of page compression. The server decodes the folder names. Schemas that
-- are invisible to the login are included if they have InnoDB tables.
-- Parameters: none.
-- Returns: database_name, is_visible, file_bytes, table_count (InnoDB tables and partitions), unopened_count (those without a file in the
-- list), shared_count (those in the system tablespace). Full-text index tables count as files, not as tables.
with opened as (
    select
        space,
        cast(substring_index(name, '/', 1) as binary) as folder,
        least(file_size, allocated_size) as file_bytes
    from information_schema.innodb_sys_tablespaces
    where instr(name, '/') > 0
),

known as (
    select
        cast(substring_index(name, '/', 1) as binary) as folder,
        not name regexp '/FTS_[0-9a-f]{16}_' as is_table,
        space_type <> 'Single' as is_shared,
        space_type = 'Single' and space not in (select opened.space from opened) as is_unopened
    from information_schema.innodb_sys_tables
    where instr(name, '/') > 0
),

parts as (
    select
        folder,
        file_bytes,
        0 as table_count,
        0 as unopened_count,
        0 as shared_count
    from opened
    union all
    select
        folder,
        0 as file_bytes,
        is_table as table_count,
        is_unopened as unopened_count,
        is_shared and is_table as shared_count
    from known
),

folders as (
    select
        -- A folder whose name Windows reserves, such as `aux`, is called `aux@@@`.
        cast(convert(convert(trim(trailing '@@@' from folder) using filename) using utf8mb3) as binary) as schema_bytes,
        sum(file_bytes) as file_bytes,
        sum(table_count) as table_count,
        sum(unopened_count) as unopened_count,
        sum(shared_count) as shared_count
    from parts
    group by folder
),

visible as (
    select cast(schema_name as binary) as schema_bytes
    from information_schema.schemata
),

names as (
    select v.schema_bytes
    from visible as v
    union distinct
    select f.schema_bytes
    from folders as f
)

select
    convert(n.schema_bytes using utf8mb4) as database_name,
    n.schema_bytes in (select v.schema_bytes from visible as v) as is_visible,
    cast(coalesce(f.file_bytes, 0) as signed) as file_bytes,
    cast(coalesce(f.table_count, 0) as signed) as table_count,
    cast(coalesce(f.unopened_count, 0) as signed) as unopened_count,
    cast(coalesce(f.shared_count, 0) as signed) as shared_count
from names as n
left join folders as f on n.schema_bytes = f.schema_bytes
