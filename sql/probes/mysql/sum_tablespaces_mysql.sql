-- The tablespace files of each schema on MySQL 8 and later, without the holes of page compression. Names in the list are not encoded, so a
-- slash in one is ambiguous: the schema has as many slashes as its folder, whose name is encoded, contains `@002f`. Schemas that are
-- invisible to the login are included if they have InnoDB tables with a file of their own.
-- Parameters: none.
-- Returns: database_name, is_visible, file_bytes, table_count (InnoDB tables and partitions with a file), unopened_count (lost files: the
-- list includes them with size 0, as it does discarded tables, which have no file), shared_count (always 0: for tables in system and
-- general tablespaces see `list_shared_tables_mysql`). The tablespace called `mysql` belongs to that schema alone.
with folders as (
    select
        space,
        substring_index(substring_index(path, '/', -2), '/', 1) as folder
    from information_schema.innodb_datafiles
),

slashes as (
    select
        space,
        (char_length(folder) - char_length(replace(folder, '@002f', ''))) div 5 as slash_count
    from folders
),

own_counts as (
    select count(*) as table_count
    from information_schema.tables
    where table_schema = 'mysql'
),

files as (
    select
        t.name,
        least(t.file_size, t.allocated_size) as file_bytes,
        t.file_size = 0 and t.state <> 'discarded' as is_lost,
        case
            when t.name = 'mysql' then (select o.table_count from own_counts as o)
            else not regexp_like(t.name, '/fts_[0-9a-f]{16}_')
        end as table_count,
        case
            when t.name like '%%/%%/%%'
                then (
                    select s.slash_count
                    from slashes as s
                    where s.space = t.space
                )
            else 0
        end as slash_count
    from information_schema.innodb_tablespaces as t
    where t.space_type = 'Single' or t.name = 'mysql'
),

sums as (
    select
        cast(substring_index(name, '/', 1 + slash_count) as binary) as schema_bytes,
        sum(file_bytes) as file_bytes,
        sum(table_count) as table_count,
        sum(is_lost) as unopened_count
    from files
    group by schema_bytes
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
    from sums as f
)

select
    convert(n.schema_bytes using utf8mb4) as database_name,
    n.schema_bytes in (select v.schema_bytes from visible as v) as is_visible,
    cast(coalesce(f.file_bytes, 0) as signed) as file_bytes,
    cast(coalesce(f.table_count, 0) as signed) as table_count,
    cast(coalesce(f.unopened_count, 0) as signed) as unopened_count,
    0 as shared_count
from names as n
left join sums as f on n.schema_bytes = f.schema_bytes
