-- Accounts of one name whose attributes or privileges differ between the servers of one engine with a tag, on a day. Built-in accounts and
-- grantors are left out; names of databases count.
-- Parameters: day, tag_name, tag_value.
-- Returns: account_name, engine, difference, present_on (names of the instances), missing_on (of those that have the account, but not
-- this).
with accounts as (
    select
        a.account_id,
        i.engine,
        i.name as instance_name,
        v.account_name,
        v.is_superuser,
        v.can_login,
        v.is_locked
    from instance_accounts as a
    inner join instances as i on a.instance_id = i.instance_id
    inner join account_attribute_versions as v on a.account_id = v.account_id
    where
        i.tags ->> %(tag_name)s = %(tag_value)s
        and not a.is_built_in
        and not a.is_everyone
        and v.valid_from <= %(day)s
        and (v.valid_until is null or v.valid_until > %(day)s)
),

shared as (
    select
        engine,
        account_name,
        array_agg(instance_name order by instance_name) as everywhere
    from accounts
    group by engine, account_name
    having count(*) > 1
),

properties as (
    select
        engine,
        account_name,
        instance_name,
        p.property
    from accounts
    cross join
        lateral unnest(
            array[
                case when is_superuser then 'is a superuser' end,
                case when can_login then 'may log in' end,
                case when is_locked then 'is locked' end
            ]
        ) as p (property)
    where p.property is not null
    union
    select
        a.engine,
        a.account_name,
        a.instance_name,
        'is a member of ' || r.account_name
    from accounts as a
    inner join account_membership_versions as m on a.account_id = m.member_id
    inner join instance_accounts as r on m.role_id = r.account_id
    where m.valid_from <= %(day)s and (m.valid_until is null or m.valid_until > %(day)s)
    union
    select
        a.engine,
        a.account_name,
        a.instance_name,
        case f.effect when 'deny' then 'is denied ' when 'revoke' then 'lacks its own ' else 'has ' end || f.privilege || ' on '
        || concat_ws(' ', f.scope, nullif(concat_ws('.', f.database_name, f.schema_name, f.object_name, f.column_name), ''))
    from accounts as a
    inner join account_privileges as p on a.account_id = p.account_id
    inner join account_privilege_facts as f on p.fact_id = f.fact_id
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

having_it as (
    select
        p.engine,
        p.account_name,
        p.property,
        array_agg(p.instance_name order by p.instance_name) as present_on
    from properties as p
    group by p.engine, p.account_name, p.property
)

select
    h.account_name,
    h.engine,
    h.property as difference,
    h.present_on,
    array(select e.name from unnest(s.everywhere) as e (name) where e.name <> all(h.present_on) order by e.name) as missing_on
from having_it as h
inner join shared as s on h.engine = s.engine and h.account_name = s.account_name
where cardinality(h.present_on) < cardinality(s.everywhere)
order by h.account_name, h.engine, h.property
