-- Privileges on columns.
-- Parameters: none.
-- Returns: user_name, host_name, schema_name, object_name, column_name, privileges (separated by commas). Source: table mysql.columns_priv.
select
    User as user_name,
    Host as host_name,
    Db as schema_name,
    Table_name as object_name,
    Column_name as column_name,
    Column_priv as privileges
from mysql.columns_priv
