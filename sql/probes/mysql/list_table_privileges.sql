-- Privileges on tables and views. A row without any is but the echo of privileges on columns.
-- Parameters: none.
-- Returns: user_name, host_name, schema_name, object_name, privileges (separated by commas), grantor (user@host). Source: table
-- mysql.tables_priv.
select
    User as user_name,
    Host as host_name,
    Db as schema_name,
    Table_name as object_name,
    Table_priv as privileges,
    Grantor as grantor
from mysql.tables_priv
where Table_priv <> ''
