-- Who has been granted which role, and whether it is active at login.
-- Parameters: none.
-- Returns: user_name, host_name, role_user_name, role_host_name, can_admin, is_default. Sources: tables mysql.role_edges,
-- mysql.default_roles.
select
    e.TO_USER as user_name,
    e.TO_HOST as host_name,
    e.FROM_USER as role_user_name,
    e.FROM_HOST as role_host_name,
    e.WITH_ADMIN_OPTION = 'Y' as can_admin,
    d.USER is not null as is_default
from mysql.role_edges as e
left join mysql.default_roles as d
    on
        e.TO_USER = d.USER
        and e.TO_HOST = d.HOST
        and e.FROM_USER = d.DEFAULT_ROLE_USER
        and e.FROM_HOST = d.DEFAULT_ROLE_HOST
