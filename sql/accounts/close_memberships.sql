-- Close the memberships that ended; what could not be read stays open. A version that began today is
-- undone, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day, held (integer[] of accounts that the guard keeps: nothing of them is closed); the staged rows.
-- Returns: closed (the number of versions).
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

gone as (
    select
        v.member_id,
        v.role_id,
        v.inherits,
        v.can_set,
        v.can_admin,
        v.is_default,
        v.database_name
    from account_membership_versions as v
    inner join instance_accounts as m on v.member_id = m.account_id
    inner join instance_accounts as r on v.role_id = r.account_id
    where
        m.instance_id = %(instance_id)s
        and v.valid_until is null
        and v.member_id <> all(%(held)s::integer[])
        and v.role_id <> all(%(held)s::integer[])
        and (
            not m.is_active
            or not r.is_active
            or not exists (
                select 1 from staged_gaps as u
                where
                    u.account_id is null
                    and u.attribute is null
                    and (u.scope is null or u.scope = 'membership')
                    and (u.database_name is null or u.database_name = coalesce(v.database_name, m.database_name))
            )
        )
    except
    select
        s.member_id,
        s.role_id,
        s.inherits,
        s.can_set,
        s.can_admin,
        s.is_default,
        s.database_name
    from staged as s
),

undone as (
    delete from account_membership_versions as v
    using gone as g
    where
        v.valid_from = %(day)s
        and v.valid_until is null
        and v.member_id = g.member_id
        and v.role_id = g.role_id
        and v.inherits = g.inherits
        and v.can_set = g.can_set
        and v.can_admin = g.can_admin
        and v.is_default = g.is_default
        and v.database_name is not distinct from g.database_name
),

closed as (
    update account_membership_versions as v
    set valid_until = %(day)s
    from gone as g
    where
        v.valid_from < %(day)s
        and v.valid_until is null
        and v.member_id = g.member_id
        and v.role_id = g.role_id
        and v.inherits = g.inherits
        and v.can_set = g.can_set
        and v.can_admin = g.can_admin
        and v.is_default = g.is_default
        and v.database_name is not distinct from g.database_name
)

select count(*)::integer as closed from gone
