-- Every account of a MariaDB. Password and authentication_string are not read: they are hashes.
-- What this view of the server does not tell (locks, ages of passwords) is NULL.
-- Parameters: none.
-- Returns: user_name, host_name, authentication, is_superuser, is_locked, is_expired, is_role, password_changed_at, lifetime_days, tls,
-- connection_limit (0: none). Source: view mysql.user.
select
    User as user_name,
    Host as host_name,
    plugin as authentication,
    Super_priv = 'Y' as is_superuser,
    null as is_locked,
    password_expired = 'Y' as is_expired,
    is_role = 'Y' as is_role,
    null as password_changed_at,
    null as lifetime_days,
    ssl_type as tls,
    max_user_connections as connection_limit
from mysql.user
