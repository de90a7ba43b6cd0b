-- Who has been granted which role, and whether it is active at login. Roles of MariaDB have an empty host.
-- Parameters: none.
-- Returns: user_name, host_name, role_user_name, role_host_name, can_admin, is_default. Sources: table mysql.roles_mapping, view
-- mysql.user.
select
    m.User as user_name,
    m.Host as host_name,
    m.Role as role_user_name,
    '' as role_host_name,
    m.Admin_option = 'Y' as can_admin,
    coalesce(u.default_role = m.Role, false) as is_default
from mysql.roles_mapping as m
left join mysql.user as u on m.User = u.User and m.Host = u.Host
