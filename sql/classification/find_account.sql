-- What an account was on a day, and its server.
-- Parameters: day, instance_name, account_name.
-- Returns: account_id, instance_id, engine, account_name, account_kind, is_built_in, is_everyone, attributes (typed ones among them),
-- password_changed_on, password_expires_on, first_seen_on, last_login_on, host_count, member_count, tags, server_version.
select
    a.account_id,
    a.instance_id,
    i.engine,
    v.account_name,
    a.account_kind,
    a.is_built_in,
    a.is_everyone,
    v.attributes || jsonb_strip_nulls(jsonb_build_object(
        'can_login', v.can_login, 'is_superuser', v.is_superuser, 'is_locked', v.is_locked, 'is_password_expired', v.is_password_expired,
        'has_empty_password', v.has_empty_password
    )) as attributes,
    v.password_changed_at::date as password_changed_on,
    v.password_expires_at::date as password_expires_on,
    a.first_seen_date as first_seen_on,
    a.last_login_at::date as last_login_on,
    (
        select count(*) from instance_accounts as o
        inner join account_attribute_versions as w on o.account_id = w.account_id
        where
            o.instance_id = a.instance_id
            and o.account_kind <> 'role'
            and w.attributes ->> 'user' = v.attributes ->> 'user'
            and w.valid_from <= %(day)s
            and (w.valid_until is null or w.valid_until > %(day)s)
    ) as host_count,
    (
        select count(distinct m.member_id) from account_membership_versions as m
        where m.role_id = a.account_id and m.valid_from <= %(day)s and (m.valid_until is null or m.valid_until > %(day)s)
    ) as member_count,
    i.tags,
    i.server_version
from instance_accounts as a
inner join instances as i on a.instance_id = i.instance_id
inner join account_attribute_versions as v on a.account_id = v.account_id
where
    i.name = %(instance_name)s
    and v.account_name = %(account_name)s
    and v.valid_from <= %(day)s
    and (v.valid_until is null or v.valid_until > %(day)s)
