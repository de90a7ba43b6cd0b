-- Privileges on columns.
-- Parameters: none.
-- Returns: account_name, schema_name, object_name, column_name, privilege, is_grantable, grantor_name. Source: dba_col_privs.
select
    p.grantee as account_name,
    p.owner as schema_name,
    p.table_name as object_name,
    p.column_name,
    p.privilege,
    case when p.grantable = 'YES' then 1 else 0 end as is_grantable,
    p.grantor as grantor_name
from sys.dba_col_privs p
