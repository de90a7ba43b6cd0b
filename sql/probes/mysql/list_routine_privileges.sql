-- Privileges on functions and procedures, and on packages of MariaDB.
-- Parameters: none.
-- Returns: user_name, host_name, schema_name, object_name, privileges (separated by commas), grantor (user@host), kind. Source: table
-- mysql.procs_priv.
select
    User as user_name,
    Host as host_name,
    Db as schema_name,
    Routine_name as object_name,
    Proc_priv as privileges,
    Grantor as grantor,
    lower(Routine_type) as kind
from mysql.procs_priv
