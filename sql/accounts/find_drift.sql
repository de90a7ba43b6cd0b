-- Accounts of one name whose attributes, roles or privileges differ between the servers of one engine with a tag, on a day. Built-in
-- accounts and grantors are left out. A server is compared only where it can differ: it has the account and the database, and both were
-- read. Privileges that differ alike on more than `most` objects of a schema are one row.
-- Parameters: day, tag_name, tag_value, most (of objects that are named).
-- Returns: account_name, engine, difference, present_on (names of the instances), missing_on.
with accounts as (
    select
        a.account_id,
        a.instance_id,
        i.engine,
        i.name as instance_name,
        v.account_name,
        v.is_superuser,
        v.can_login,
        v.is_locked
    from instance_accounts as a
    inner join instances as i on a.instance_id = i.instance_id
    inner join account_attributes as v on a.account_id = v.account_id
    where
        i.tags ->> %(tag_name)s = %(tag_value)s
        and not a.is_built_in
        and not a.is_everyone
        and v.valid_from <= %(day)s
        and (v.valid_until is null or v.valid_until > %(day)s)
),

shared as (
    select
        account_name,
        engine
    from accounts
    group by account_name, engine
    having count(*) > 1
),

properties as (
    select
        a.account_name,
        a.engine,
        a.instance_id,
        null::text as scope,
        null::text as database_name,
        null::text as schema_name,
        null::text as object_name,
        p.property
    from accounts as a
    cross join
        lateral unnest(
            array[
                case when a.is_superuser then 'is a superuser' end,
                case when a.can_login then 'may log in' end,
                case when a.is_locked then 'is locked' end
            ]
        ) as p (property)
    where p.property is not null
    union
    select
        a.account_name,
        a.engine,
        a.instance_id,
        'membership',
        m.database_name,
        null,
        null,
        'is a member of ' || r.account_name
    from accounts as a
    inner join account_membership_versions as m on a.account_id = m.member_id
    inner join instance_accounts as r on m.role_id = r.account_id
    where m.valid_from <= %(day)s and (m.valid_until is null or m.valid_until > %(day)s)
    union
    select
        a.account_name,
        a.engine,
        a.instance_id,
        f.scope,
        f.database_name,
        f.schema_name,
        concat_ws('.', f.object_name, f.column_name),
        case f.effect when 'deny' then 'is denied ' when 'revoke' then 'lacks its own ' else 'has ' end || f.privilege || ' on'
    from accounts as a
    inner join account_privileges as p on a.account_id = p.account_id
    inner join account_privilege_facts as f on p.fact_id = f.fact_id
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

of_shared as (
    select
        p.account_name,
        p.engine,
        p.scope,
        p.database_name,
        p.schema_name,
        p.object_name,
        p.property,
        array_agg(p.instance_id) as present
    from properties as p
    inner join shared as s on p.account_name = s.account_name and p.engine = s.engine
    group by p.account_name, p.engine, p.scope, p.database_name, p.schema_name, p.object_name, p.property
),

-- where each property is, and where it is not although it could be
compared as (
    select
        p.account_name,
        p.engine,
        p.scope,
        p.database_name,
        p.schema_name,
        p.object_name,
        p.property,
        array_agg(a.instance_name order by a.instance_name) filter (where a.instance_id = any(p.present)) as present_on,
        array_agg(a.instance_name order by a.instance_name) filter (where a.instance_id <> all(p.present)) as missing_on
    from of_shared as p
    inner join accounts as a on p.account_name = a.account_name and p.engine = a.engine
    where
        a.instance_id = any(p.present)
        or (
            (
                p.database_name is null
                -- no server knows such a database: a pattern, or one that whalefall does not list
                or not exists (select 1 from database_activity as d where d.database_name = p.database_name)
                or exists (
                    select 1 from database_activity as d
                    where
                        d.instance_id = a.instance_id
                        and d.database_name = p.database_name
                        and d.active_from <= %(day)s
                        and (d.active_until is null or d.active_until > %(day)s)
                )
            )
            and not exists (
                select 1 from account_gaps as g
                where
                    g.instance_id = a.instance_id
                    and g.account_id is null
                    and g.attribute is null
                    and (g.scope is null or g.scope in ('account', p.scope))
                    and (g.database_name is null or g.database_name = p.database_name)
                    and g.valid_from <= %(day)s
                    and (g.valid_until is null or g.valid_until > %(day)s)
            )
        )
    group by p.account_name, p.engine, p.scope, p.database_name, p.schema_name, p.object_name, p.property
),

counted as (
    select
        c.*,
        count(*) over (
            partition by c.account_name, c.engine, c.scope, c.database_name, c.schema_name, c.property, c.present_on, c.missing_on
        ) as objects
    from compared as c
    where c.missing_on is not null
)

select distinct
    c.account_name,
    c.engine,
    case
        when c.scope is null or c.scope = 'membership' then c.property
        when c.objects > %(most)s
            then concat_ws(' ', c.property, c.objects, c.scope || 's in', concat_ws('.', c.database_name, c.schema_name))
        else concat_ws(' ', c.property, c.scope, nullif(concat_ws('.', c.database_name, c.schema_name, nullif(c.object_name, '')), ''))
    end as difference,
    c.present_on,
    c.missing_on
from counted as c
order by c.account_name, c.engine, difference
