-- Privileges on objects. What accounts of Oracle itself have on each other's objects comes with the server and is left out; what PUBLIC has
-- is not.
-- Parameters: none.
-- Returns: account_name, schema_name, object_name, object_type, privilege, is_grantable, grantor_name. Sources: dba_tab_privs, dba_users,
-- dba_roles.
select
    p.grantee as account_name,
    p.owner as schema_name,
    p.table_name as object_name,
    p.type as object_type,
    p.privilege,
    case when p.grantable = 'YES' then 1 else 0 end as is_grantable,
    p.grantor as grantor_name
from sys.dba_tab_privs p
where
    not exists (select o.username from sys.dba_users o where o.username = p.owner and o.oracle_maintained = 'Y')
    or not (
        exists (select u.username from sys.dba_users u where u.username = p.grantee and u.oracle_maintained = 'Y')
        or exists (select r.role from sys.dba_roles r where r.role = p.grantee and r.oracle_maintained = 'Y')
    )
