-- System privileges, those on any schema (SELECT ANY TABLE) among them.
-- Parameters: none.
-- Returns: account_name, privilege, is_grantable. Source: dba_sys_privs.
select
    p.grantee as account_name,
    p.privilege,
    case when p.admin_option = 'YES' then 1 else 0 end as is_grantable
from sys.dba_sys_privs p
