-- The files of a MariaDB server that belong to no single schema: system, temporary and undo tablespaces, and the redo log. Aria's log is
-- not included: its size is visible only with the FILE privilege, and it is purged at once.
-- Parameters: none.
-- Returns: name, file_bytes.
select
    name,
    cast(least(file_size, allocated_size) as signed) as file_bytes
from information_schema.innodb_sys_tablespaces
where instr(name, '/') = 0
union all
select
    'redo log' as name,
    cast(
        max(case when variable_name = 'INNODB_LOG_FILE_SIZE' then variable_value + 0 end)
        * coalesce(max(case when variable_name = 'INNODB_LOG_FILES_IN_GROUP' then variable_value + 0 end), 1) as signed
    ) as file_bytes
from information_schema.global_variables
where variable_name in ('INNODB_LOG_FILE_SIZE', 'INNODB_LOG_FILES_IN_GROUP')
