-- What only the view of definer rights tells, which a DBA makes (`privileges()` of the probe prints it): no hash is in it.
-- Parameters: none.
-- Returns: user_name, host_name, password_is_empty, has_second_password, restrictions (JSON, partial revokes).
select
    User as user_name,
    Host as host_name,
    password_is_empty,
    has_second_password,
    restrictions
from whalefall_monitor.accounts
