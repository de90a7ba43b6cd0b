-- The roles that accounts reach on a day: those whose privileges they have now, and those that they can become. Everybody's roles count. It
-- ends for a cycle of memberships, too, because no step is taken twice.
-- Parameters: account_ids (integer[]), day.
-- Returns: root_id (one of account_ids), account_id (of the role), account_name, via_id (the member through which it is reached), is_active
-- (the step needs no SET ROLE), has_now, can_become, since, database_name, is_superuser; one row per step.
with recursive memberships as (
    select
        null::integer as root_id,
        v.member_id,
        v.role_id,
        v.inherits,
        v.can_set,
        v.is_default,
        v.database_name,
        v.valid_from
    from account_membership_versions as v
    inner join instance_accounts as m on v.member_id = m.account_id
    where
        v.valid_from <= %(day)s
        and (v.valid_until is null or v.valid_until > %(day)s)
        and m.instance_id in (select a.instance_id from instance_accounts as a where a.account_id = any(%(account_ids)s::integer[]))
    union all
    select
        a.account_id,
        a.account_id,
        e.account_id,
        true,
        false,
        true,
        e.database_name,
        e.first_seen_date
    from instance_accounts as a
    inner join instance_accounts as e on a.instance_id = e.instance_id
    where a.account_id = any(%(account_ids)s::integer[]) and e.is_everyone and e.is_active and e.account_id <> a.account_id
),

reached (root_id, account_id, via_id, is_active, has_now, can_become, since, database_name) as (
    select
        a.account_id,
        a.account_id,
        null::integer,
        true,
        true,
        true,
        null::date,
        null::text
    from unnest(%(account_ids)s::integer[]) as a (account_id)
    union
    select
        r.root_id,
        m.role_id,
        r.account_id,
        m.inherits and (r.via_id is not null or m.is_default),
        r.has_now and m.inherits and (r.via_id is not null or m.is_default),
        r.can_become and m.can_set,
        m.valid_from,
        coalesce(m.database_name, r.database_name)
    from reached as r
    inner join memberships as m on r.account_id = m.member_id and (m.root_id is null or m.root_id = r.root_id)
    where m.inherits or m.can_set
)

select
    r.root_id,
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
