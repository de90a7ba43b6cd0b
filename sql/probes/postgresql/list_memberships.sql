-- Who is a member of which role, from PostgreSQL 16 on. Of several grants of one membership each option counts that one of them has, as for
-- the server itself.
-- Parameters: none.
-- Returns: member_id, role_id, inherits, can_set, can_admin. Source: catalogue pg_auth_members.
select
    member as member_id,
    roleid as role_id,
    pg_catalog.bool_or(inherit_option) as inherits,
    pg_catalog.bool_or(set_option) as can_set,
    pg_catalog.bool_or(admin_option) as can_admin
from pg_catalog.pg_auth_members
group by member, roleid
