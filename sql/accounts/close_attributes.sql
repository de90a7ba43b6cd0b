-- Close the attributes that are no longer so. A version that began today is
-- undone, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day, held (integer[] of accounts that the guard keeps: nothing of them is closed); the staged rows.
-- Returns: closed (the number of versions).
with staged as (
    select
        a.account_id,
        s.account_name,
        s.can_login,
        s.is_superuser,
        s.is_locked,
        s.is_password_expired,
        s.has_empty_password,
        s.password_changed_at,
        s.password_expires_at,
        s.authentication,
        s.user_name,
        s.host_name,
        d.set_id
    from staged_accounts as s
    inner join instance_accounts as a on s.account_name = a.account_name
    inner join account_attribute_sets as d on s.digest = d.digest
    where a.instance_id = %(instance_id)s and a.is_active
),

gone as (
    select
        v.account_id,
        v.account_name,
        v.can_login,
        v.is_superuser,
        v.is_locked,
        v.is_password_expired,
        v.has_empty_password,
        v.password_changed_at,
        v.password_expires_at,
        v.authentication,
        v.user_name,
        v.host_name,
        v.set_id
    from account_attributes as v
    inner join instance_accounts as a on v.account_id = a.account_id
    where
        a.instance_id = %(instance_id)s
        and v.valid_until is null
        and v.account_id <> all(%(held)s::integer[])
    except
    select
        s.account_id,
        s.account_name,
        s.can_login,
        s.is_superuser,
        s.is_locked,
        s.is_password_expired,
        s.has_empty_password,
        s.password_changed_at,
        s.password_expires_at,
        s.authentication,
        s.user_name,
        s.host_name,
        s.set_id
    from staged as s
),

undone as (
    delete from account_attributes as v
    using gone as g
    where
        v.valid_from = %(day)s
        and v.valid_until is null
        and v.account_id = g.account_id
        and v.account_name is not distinct from g.account_name
        and v.can_login is not distinct from g.can_login
        and v.is_superuser is not distinct from g.is_superuser
        and v.is_locked is not distinct from g.is_locked
        and v.is_password_expired is not distinct from g.is_password_expired
        and v.has_empty_password is not distinct from g.has_empty_password
        and v.password_changed_at is not distinct from g.password_changed_at
        and v.password_expires_at is not distinct from g.password_expires_at
        and v.authentication is not distinct from g.authentication
        and v.user_name is not distinct from g.user_name
        and v.host_name is not distinct from g.host_name
        and v.set_id = g.set_id
),

closed as (
    update account_attributes as v
    set valid_until = %(day)s
    from gone as g
    where
        v.valid_from < %(day)s
        and v.valid_until is null
        and v.account_id = g.account_id
        and v.account_name is not distinct from g.account_name
        and v.can_login is not distinct from g.can_login
        and v.is_superuser is not distinct from g.is_superuser
        and v.is_locked is not distinct from g.is_locked
        and v.is_password_expired is not distinct from g.is_password_expired
        and v.has_empty_password is not distinct from g.has_empty_password
        and v.password_changed_at is not distinct from g.password_changed_at
        and v.password_expires_at is not distinct from g.password_expires_at
        and v.authentication is not distinct from g.authentication
        and v.user_name is not distinct from g.user_name
        and v.host_name is not distinct from g.host_name
        and v.set_id = g.set_id
)

select count(*)::integer as closed from gone
