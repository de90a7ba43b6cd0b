-- Members of the roles of one database, which nest.
-- Parameters: database_name, as a value and, composed, as a quoted name. The statements of several databases are joined by union all.
-- Returns: database_name, member_id, role_id (principals of the database). Source: sys.database_role_members.
select
    cast(%(database_name)s as nvarchar(128)) as database_name,
    m.member_principal_id as member_id,
    m.role_principal_id as role_id
from {database_name}.sys.database_role_members as m
