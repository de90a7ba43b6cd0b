-- Which roles users, roles and PUBLIC have been granted.
-- Parameters: none.
-- Returns: member_name, role_name, can_admin, is_default. Source: dba_role_privs.
select
    p.grantee as member_name,
    p.granted_role as role_name,
    case when p.admin_option = 'YES' then 1 else 0 end as can_admin,
    case when p.default_role = 'YES' then 1 else 0 end as is_default
from sys.dba_role_privs p
