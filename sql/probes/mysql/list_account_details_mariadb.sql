-- What only the view of definer rights tells, which a DBA makes (`privileges()` of the probe prints it): no hash is in it.
-- Parameters: none.
-- Returns: user_name, host_name, password_is_empty, is_locked, password_changed_at (seconds since 1970; 0: expired), lifetime_days (NULL:
-- never expires), alternatives (other ways to log in), privilege_bits (all privileges on the server; the source has no names for some).
select
    User as user_name,
    Host as host_name,
    password_is_empty,
    is_locked,
    password_changed_at,
    nullif(if(coalesce(password_lifetime, -1) = -1, @@default_password_lifetime, password_lifetime), 0) as lifetime_days,
    alternatives,
    privilege_bits
from whalefall_monitor.accounts
