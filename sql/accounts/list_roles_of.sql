-- The roles that an account reaches on a day: those whose privileges it has now, and those that it can become. Everybody's roles count.
-- Parameters: account_id, day.
-- Returns: account_id (of the role), account_name, via_id (the member through which it is reached), is_active (the step needs no SET
-- ROLE), has_now, can_become, since, database_name, is_superuser; one row per step.
with recursive memberships as (
    select
        v.member_id,
        v.role_id,
        v.inherits,
        v.can_set,
        v.is_default,
        v.database_name,
        v.valid_from
    from account_membership_versions as v
    where v.valid_from <= %(day)s and (v.valid_until is null or v.valid_until > %(day)s)
    union all
    select
        %(account_id)s::integer,
        e.account_id,
        true,
        false,
        true,
        e.database_name,
        e.first_seen_date
    from instance_accounts as a
    inner join instance_accounts as e on a.instance_id = e.instance_id
    where a.account_id = %(account_id)s and e.is_everyone and e.is_active and e.account_id <> a.account_id
),

reached (account_id, via_id, is_active, has_now, can_become, since, database_name) as (
    select
        %(account_id)s::integer,
        null::integer,
        true,
        true,
        true,
        null::date,
        null::text
    union
    select
        m.role_id,
        r.account_id,
        m.inherits and (r.via_id is not null or m.is_default),
        r.has_now and m.inherits and (r.via_id is not null or m.is_default),
        r.can_become and m.can_set,
        m.valid_from,
        coalesce(m.database_name, r.database_name)
    from reached as r
    inner join memberships as m on r.account_id = m.member_id
    where m.inherits or m.can_set
)

select
    r.account_id,
    v.account_name,
    r.via_id,
    r.is_active,
    r.has_now,
    r.can_become,
    r.since,
    r.database_name,
    v.is_superuser
from reached as r
inner join account_attribute_versions as v on r.account_id = v.account_id
where v.valid_from <= %(day)s and (v.valid_until is null or v.valid_until > %(day)s)
order by v.account_name, r.via_id
