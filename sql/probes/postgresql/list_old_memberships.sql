-- Who is a member of which role on PostgreSQL 15, where it is the member that inherits or not, and every member may SET ROLE.
-- Parameters: none.
-- Returns: member_id, role_id, inherits, can_set, can_admin. Source: catalogue pg_auth_members.
select
    m.member as member_id,
    m.roleid as role_id,
    r.rolinherit as inherits,
    true as can_set,
    m.admin_option as can_admin
from pg_catalog.pg_auth_members as m
inner join pg_catalog.pg_roles as r on m.member operator(pg_catalog.=) r.oid
