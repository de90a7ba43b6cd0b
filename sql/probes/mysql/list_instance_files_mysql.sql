-- The files of a MySQL server that belong to no single schema: every tablespace but those of single tables and that of `mysql`, the redo
-- log (its configured capacity, because spare files are created in advance), and the doublewrite files. Of these the server reports only
-- the number of pages: 512 for single pages, and two batches for each buffer pool instance, of which there are at least two.
-- Parameters: none.
-- Returns: part (general_tablespaces, undo, temporary, system_tablespace, free_pages, redo, doublewrite), file_bytes. The free pages are of
-- the system tablespace, which is without them.
with settings as (
    select
        max(case when variable_name = 'innodb_page_size' then variable_value + 0 end) as page_bytes,
        max(case when variable_name = 'innodb_buffer_pool_instances' then variable_value + 0 end) as pool_count,
        max(case when variable_name = 'innodb_doublewrite_pages' then variable_value + 0 end) as batch_pages,
        max(case when variable_name = 'innodb_doublewrite' then variable_value end) as doublewrite,
        max(case when variable_name = 'innodb_log_file_size' then variable_value + 0 end)
        * max(case when variable_name = 'innodb_log_files_in_group' then variable_value + 0 end) as fixed_redo_bytes
    from performance_schema.global_variables
    where variable_name like 'innodb%%'
)

select
    case space_type when 'Undo' then 'undo' when 'General' then 'general_tablespaces' else 'temporary' end as part,
    cast(least(file_size, allocated_size) as signed) as file_bytes
from information_schema.innodb_tablespaces
where space_type <> 'Single' and name not in ('mysql', 'innodb_system')
union all
select
    'system_tablespace' as part,
    cast((total_extents - free_extents) * extent_size as signed) as file_bytes
from information_schema.files
where tablespace_name = 'innodb_system'
union all
select
    'free_pages' as part,
    cast(free_extents * extent_size as signed) as file_bytes
from information_schema.files
where tablespace_name = 'innodb_system'
union all
select
    'temporary' as part,
    cast(coalesce(sum(size), 0) as signed) as file_bytes
from information_schema.innodb_session_temp_tablespaces
union all
select
    'redo' as part,
    cast(
        coalesce(
            (
                select g.variable_value + 0
                from performance_schema.global_status as g
                where g.variable_name = 'Innodb_redo_log_capacity_resized'
            ),
            fixed_redo_bytes
        ) as signed
    ) as file_bytes
from settings
union all
select
    'doublewrite' as part,
    cast(
        case
            when doublewrite in ('ON', 'DETECT_AND_RECOVER') then page_bytes * (512 + batch_pages * 2 * greatest(2, pool_count))
            else 0
        end as signed
    ) as file_bytes
from settings
