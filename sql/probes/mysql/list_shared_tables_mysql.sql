-- InnoDB tables in general tablespaces or in the system tablespace of a MySQL server, including full-text index tables, without those of
-- the `mysql` schema, which has its own tablespace. The view of tablespaces omits the system tablespace; the view of files rounds to
-- megabytes.
-- Parameters: none.
-- Returns: tablespace_name, is_system, file_bytes and free_bytes of that tablespace, encoded_name (the folder and file that the table would
-- have, in the encoding of file names).
with files as (
    select
        file_id,
        tablespace_name,
        sum(total_extents * extent_size) as file_bytes,
        max(data_free) as free_bytes
    from information_schema.files
    group by file_id, tablespace_name
)

select
    f.tablespace_name,
    t.space_type = 'System' as is_system,
    cast(coalesce(least(s.file_size, s.allocated_size), f.file_bytes) as signed) as file_bytes,
    cast(f.free_bytes as signed) as free_bytes,
    t.name as encoded_name
from information_schema.innodb_tables as t
inner join files as f on t.space = f.file_id
left join information_schema.innodb_tablespaces as s on t.space = s.space
where
    t.space_type <> 'Single'
    and instr(t.name, '/') > 0
    and instr(t.name, 'mysql/') <> 1
