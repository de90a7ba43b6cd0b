-- Privileges on the whole server that plugins and components of MySQL 8 register.
-- Parameters: none.
-- Returns: user_name, host_name, privilege, is_grantable. Source: table mysql.global_grants.
select
    USER as user_name,
    HOST as host_name,
    PRIV as privilege,
    WITH_GRANT_OPTION = 'Y' as is_grantable
from mysql.global_grants
