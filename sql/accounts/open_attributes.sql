-- Open the attributes that are new. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Everything is compared as sets: nobody knows how many rows are staged, and with an estimate of one row a join took minutes.
-- Parameters: instance_id, day; the staged rows.
-- Returns: opened (the number of versions).
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

fresh as (
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
    except
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
    where a.instance_id = %(instance_id)s and v.valid_until is null
),

resumed as (
    update account_attributes as v
    set valid_until = null
    from fresh as f
    where
        v.valid_until = %(day)s
        and v.account_id = f.account_id
        and v.account_name is not distinct from f.account_name
        and v.can_login is not distinct from f.can_login
        and v.is_superuser is not distinct from f.is_superuser
        and v.is_locked is not distinct from f.is_locked
        and v.is_password_expired is not distinct from f.is_password_expired
        and v.has_empty_password is not distinct from f.has_empty_password
        and v.password_changed_at is not distinct from f.password_changed_at
        and v.password_expires_at is not distinct from f.password_expires_at
        and v.authentication is not distinct from f.authentication
        and v.user_name is not distinct from f.user_name
        and v.host_name is not distinct from f.host_name
        and v.set_id = f.set_id
    returning
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
),

opened as (
    insert into account_attributes (
        account_id,
        account_name,
        can_login,
        is_superuser,
        is_locked,
        is_password_expired,
        has_empty_password,
        password_changed_at,
        password_expires_at,
        authentication,
        user_name,
        host_name,
        set_id,
        valid_from
    )
    select
        f.account_id,
        f.account_name,
        f.can_login,
        f.is_superuser,
        f.is_locked,
        f.is_password_expired,
        f.has_empty_password,
        f.password_changed_at,
        f.password_expires_at,
        f.authentication,
        f.user_name,
        f.host_name,
        f.set_id,
        %(day)s
    from (
        select
            g.account_id,
            g.account_name,
            g.can_login,
            g.is_superuser,
            g.is_locked,
            g.is_password_expired,
            g.has_empty_password,
            g.password_changed_at,
            g.password_expires_at,
            g.authentication,
            g.user_name,
            g.host_name,
            g.set_id
        from fresh as g
        except
        select
            r.account_id,
            r.account_name,
            r.can_login,
            r.is_superuser,
            r.is_locked,
            r.is_password_expired,
            r.has_empty_password,
            r.password_changed_at,
            r.password_expires_at,
            r.authentication,
            r.user_name,
            r.host_name,
            r.set_id
        from resumed as r
    ) as f
)

select count(*)::integer as opened from fresh
