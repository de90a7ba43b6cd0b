-- Open the memberships that are new. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day; the staged rows.
-- Returns: opened (the number of versions).
with staged as (
    select
        m.account_id as member_id,
        r.account_id as role_id,
        s.inherits,
        s.can_set,
        s.can_admin,
        s.is_default,
        s.database_name
    from staged_memberships as s
    inner join instance_accounts as m on s.member_name = m.account_name
    inner join instance_accounts as r on s.role_name = r.account_name
    where m.instance_id = %(instance_id)s and m.is_active and r.instance_id = %(instance_id)s and r.is_active
),

fresh as (
    select s.*
    from staged as s
    where not exists (
        select 1 from account_membership_versions as v
        where
            v.valid_until is null
            and v.member_id = s.member_id
            and v.role_id = s.role_id
            and v.inherits = s.inherits
            and v.can_set = s.can_set
            and v.can_admin = s.can_admin
            and v.is_default = s.is_default
            and v.database_name is not distinct from s.database_name
    )
),

resumed as (
    update account_membership_versions as v
    set valid_until = null
    from fresh as f
    where
        v.valid_until = %(day)s
        and v.member_id = f.member_id
        and v.role_id = f.role_id
        and v.inherits = f.inherits
        and v.can_set = f.can_set
        and v.can_admin = f.can_admin
        and v.is_default = f.is_default
        and v.database_name is not distinct from f.database_name
    returning v.member_id, v.role_id, v.inherits, v.can_set, v.can_admin, v.is_default, v.database_name
),

opened as (
    insert into account_membership_versions (member_id, role_id, inherits, can_set, can_admin, is_default, database_name, valid_from)
    select
        f.member_id,
        f.role_id,
        f.inherits,
        f.can_set,
        f.can_admin,
        f.is_default,
        f.database_name,
        %(day)s
    from fresh as f
    where
        not exists (
            select 1 from resumed as r
            where
                r.member_id = f.member_id
                and r.role_id = f.role_id
                and r.inherits = f.inherits
                and r.can_set = f.can_set
                and r.can_admin = f.can_admin
                and r.is_default = f.is_default
                and r.database_name is not distinct from f.database_name
        )
    -- in the order of the index, which is smaller then
    order by f.member_id, f.role_id
)

select count(*)::integer as opened from fresh
