-- Every account of a MySQL. authentication_string and User_attributes are not read: they hold hashes. Columns are written as the server has
-- them: as long as a role is active, a GRANT on a column does not count for the same name in other letters.
-- A role is an account that CREATE ROLE made, which is locked and expired: the server does not tell them apart otherwise.
-- Parameters: none.
-- Returns: user_name, host_name, authentication, is_superuser, is_locked, is_expired, is_role, password_changed_at (seconds since 1970),
-- lifetime_days (NULL: never expires), tls, connection_limit (0: none). Source: table mysql.user.
select
    User as user_name,
    Host as host_name,
    plugin as authentication,
    Super_priv = 'Y' as is_superuser,
    account_locked = 'Y' as is_locked,
    password_expired = 'Y' as is_expired,
    account_locked = 'Y' and password_expired = 'Y' as is_role,
    unix_timestamp(password_last_changed) as password_changed_at,
    nullif(coalesce(password_lifetime, @@default_password_lifetime), 0) as lifetime_days,
    ssl_type as tls,
    max_user_connections as connection_limit
from mysql.user
