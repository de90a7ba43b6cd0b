-- The files of a MariaDB server that belong to no single schema: system, temporary and undo tablespaces, and the redo log. Aria's log is
-- not included: its size is visible only with the FILE privilege, and it is purged at once.
-- Parameters: none.
-- Returns: part (system_tablespace, undo, temporary, redo), file_bytes.
select
    case
        when name = 'innodb_system' then 'system_tablespace'
        when name = 'innodb_temporary' then 'temporary'
        else 'undo'
    end as part,
    cast(least(file_size, allocated_size) as signed) as file_bytes
from information_schema.innodb_sys_tablespaces
where instr(name, '/') = 0
union all
select
    'redo' as part,
    cast(
        max(case when variable_name = 'INNODB_LOG_FILE_SIZE' then variable_value + 0 end)
        * coalesce(max(case when variable_name = 'INNODB_LOG_FILES_IN_GROUP' then variable_value + 0 end), 1) as signed
    ) as file_bytes
from information_schema.global_variables
where variable_name in ('INNODB_LOG_FILE_SIZE', 'INNODB_LOG_FILES_IN_GROUP')
