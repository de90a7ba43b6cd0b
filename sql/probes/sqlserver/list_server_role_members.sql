-- Members of server roles, which nest; nobody is listed as a member of public, in which everybody is.
-- Parameters: none.
-- Returns: member_id, role_id (principals of the server). Source: sys.server_role_members.
select
    m.member_principal_id as member_id,
    m.role_principal_id as role_id
from sys.server_role_members as m
