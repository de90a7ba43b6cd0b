-- Open the memberships that are new. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Everything is compared as sets: nobody knows how many rows are staged, and with an estimate of one row a join took minutes.
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
    select
        s.member_id,
        s.role_id,
        s.inherits,
        s.can_set,
        s.can_admin,
        s.is_default,
        s.database_name
    from staged as s
    except
    select
        v.member_id,
        v.role_id,
        v.inherits,
        v.can_set,
        v.can_admin,
        v.is_default,
        v.database_name
    from account_membership_versions as v
    inner join instance_accounts as a on v.member_id = a.account_id
    where a.instance_id = %(instance_id)s and v.valid_until is null
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
    returning
        v.member_id,
        v.role_id,
        v.inherits,
        v.can_set,
        v.can_admin,
        v.is_default,
        v.database_name
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
    from (
        select
            g.member_id,
            g.role_id,
            g.inherits,
            g.can_set,
            g.can_admin,
            g.is_default,
            g.database_name
        from fresh as g
        except
        select
            r.member_id,
            r.role_id,
            r.inherits,
            r.can_set,
            r.can_admin,
            r.is_default,
            r.database_name
        from resumed as r
    ) as f
    -- in the order of the index, which is smaller then
    order by f.member_id, f.role_id
)

select count(*)::integer as opened from fresh
