-- Who has a privilege on databases or tables of PostgreSQL on a day, and through which steps. A table needs three things: the privilege on
-- the table, USAGE on its schema, and CONNECT on its database; a database needs one. Owners have everything on what they own but what they
-- took from themselves; the owner of a schema may drop what is in it. Only privileges are inherited, attributes are not: who may become a
-- superuser, or somebody who has the privilege, has nothing of it until SET ROLE.
-- Parameters: day, privilege, instance_ids (integer[]), database_names, schema_names, object_names (text[]: an entry per target).
-- Returns: one row per step of an account: instance_id, database_name, account_id, account_name, account_kind, can_login, is_everyone,
-- has_now (yes, depends, or no: it can only become somebody who has it), step (superuser, fact, member, become), via_id (the account that
-- the step leads to), privilege, scope, origin, since. Also the steps of accounts between, with has_now NULL.
with recursive targets as (
    select
        t.instance_id,
        t.database_name,
        t.schema_name,
        t.object_name
    from unnest(%(instance_ids)s::integer[], %(database_names)s::text[], %(schema_names)s::text[], %(object_names)s::text[])
        as t (instance_id, database_name, schema_name, object_name)
),

accounts as (
    select
        a.account_id,
        a.instance_id,
        a.account_kind,
        a.is_everyone,
        v.account_name,
        v.can_login,
        v.is_superuser,
        v.valid_from
    from instance_accounts as a
    inner join account_attribute_versions as v on a.account_id = v.account_id
    where
        a.instance_id in (select instance_id from targets)
        and v.valid_from <= %(day)s
        and (v.valid_until is null or v.valid_until > %(day)s)
),

memberships as (
    select
        v.member_id,
        v.role_id,
        v.inherits,
        v.can_set,
        v.database_name,
        v.valid_from
    from account_membership_versions as v
    inner join accounts as m on v.member_id = m.account_id
    where v.valid_from <= %(day)s and (v.valid_until is null or v.valid_until > %(day)s)
),

facts as (
    select
        t.database_name,
        p.account_id,
        p.valid_from,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from targets as t
    inner join account_privilege_facts as f
        on
            f.scope = 'server'
            or (f.scope = 'database' and f.database_name = t.database_name)
            or (f.scope = 'schema' and f.database_name = t.database_name and f.schema_name = t.schema_name)
            or (
                f.scope in ('table', 'column')
                and f.database_name = t.database_name
                and f.schema_name = t.schema_name
                and f.object_name = t.object_name
            )
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id and t.instance_id = a.instance_id
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

-- what each target needs, and the privilege that it needs there
needs as (
    select
        t.instance_id,
        t.database_name,
        n.need,
        n.privilege
    from targets as t
    cross join
        lateral (
            values
            ('table', case when t.object_name is not null then %(privilege)s::text end),
            ('schema', case when t.object_name is not null then 'USAGE' end),
            ('database', case when t.object_name is not null then 'CONNECT' else %(privilege)s::text end)
        ) as n (need, privilege)
    where n.privilege is not null
),

sources as (
    select
        n.instance_id,
        n.database_name,
        n.need,
        f.account_id,
        f.privilege,
        f.scope,
        f.origin,
        f.valid_from,
        f.scope = 'column' as is_partial
    from needs as n
    inner join facts as f on n.database_name = f.database_name
    inner join accounts as a on f.account_id = a.account_id and n.instance_id = a.instance_id
    where
        f.effect = 'grant'
        and (
            (f.privilege = n.privilege and f.scope in (n.need, 'server'))
            or (f.privilege = n.privilege and n.need = 'table' and f.scope = 'column')
            or (
                f.privilege = 'OWNER'
                and (f.scope = n.need or (n.need = 'table' and f.scope = 'schema' and n.privilege = 'DROP'))
                and not exists (
                    select 1 from facts as r
                    where
                        r.effect = 'revoke'
                        and r.account_id = f.account_id
                        and r.database_name = f.database_name
                        and r.scope = f.scope
                        and r.privilege = n.privilege
                )
            )
        )
),

holders (instance_id, database_name, need, account_id, via_id, is_partial, since) as (
    select
        instance_id,
        database_name,
        need,
        account_id,
        null::integer,
        is_partial,
        null::date
    from sources
    union
    select
        h.instance_id,
        h.database_name,
        h.need,
        m.member_id,
        h.account_id,
        h.is_partial,
        m.valid_from
    from holders as h
    inner join memberships as m on h.account_id = m.role_id
    where m.inherits and (m.database_name is null or m.database_name = h.database_name)
),

-- what everybody has needs nobody to have it
open_needs as (
    select distinct
        h.instance_id,
        h.database_name,
        h.need
    from holders as h
    inner join accounts as a on h.account_id = a.account_id
    where a.is_everyone and not h.is_partial
),

closed_needs as (
    select
        n.instance_id,
        n.database_name,
        n.need
    from needs as n
    except
    select
        o.instance_id,
        o.database_name,
        o.need
    from open_needs as o
),

met as (
    select
        h.instance_id,
        h.database_name,
        h.account_id,
        h.need,
        bool_and(h.is_partial) as is_partial
    from holders as h
    inner join closed_needs as c on h.instance_id = c.instance_id and h.database_name = c.database_name and h.need = c.need
    group by h.instance_id, h.database_name, h.account_id, h.need
),

has_now as (
    select
        m.instance_id,
        m.database_name,
        m.account_id,
        case when bool_or(m.is_partial) then 'depends' else 'yes' end as answer
    from met as m
    group by m.instance_id, m.database_name, m.account_id
    having
        count(*) = (
            select count(*) from closed_needs as c where c.instance_id = m.instance_id and c.database_name = m.database_name
        )
    union
    select
        t.instance_id,
        t.database_name,
        a.account_id,
        'yes'
    from targets as t
    inner join accounts as a on t.instance_id = a.instance_id
    where
        a.is_superuser
        or (
            a.is_everyone
            and not exists (
                select 1 from closed_needs as c where c.instance_id = t.instance_id and c.database_name = t.database_name
            )
        )
),

best_now as (
    select
        instance_id,
        database_name,
        account_id,
        max(answer) as answer
    from has_now
    group by instance_id, database_name, account_id
),

becoming (instance_id, database_name, account_id, via_id, since) as (
    select
        instance_id,
        database_name,
        account_id,
        null::integer,
        null::date
    from best_now
    where answer = 'yes'
    union
    select
        b.instance_id,
        b.database_name,
        m.member_id,
        b.account_id,
        m.valid_from
    from becoming as b
    inner join memberships as m on b.account_id = m.role_id
    where m.can_set and (m.database_name is null or m.database_name = b.database_name)
),

-- the need whose steps are returned: the innermost that not everybody meets
shown_needs as (
    select distinct on (t.instance_id, t.database_name)
        t.instance_id,
        t.database_name,
        n.need
    from targets as t
    inner join needs as n on t.instance_id = n.instance_id and t.database_name = n.database_name
    left join closed_needs as c on n.instance_id = c.instance_id and n.database_name = c.database_name and n.need = c.need
    order by t.instance_id, t.database_name, c.need is null, n.need desc
),

steps as (
    select
        t.instance_id,
        t.database_name,
        a.account_id,
        'superuser' as step,
        null::integer as via_id,
        null::text as privilege,
        null::text as scope,
        null::text as origin,
        a.valid_from as since
    from targets as t
    inner join accounts as a on t.instance_id = a.instance_id
    where a.is_superuser
    union all
    select
        s.instance_id,
        s.database_name,
        s.account_id,
        'fact',
        null,
        s.privilege,
        s.scope,
        s.origin,
        s.valid_from
    from sources as s
    inner join shown_needs as n on s.instance_id = n.instance_id and s.database_name = n.database_name and s.need = n.need
    union all
    select
        h.instance_id,
        h.database_name,
        h.account_id,
        'member',
        h.via_id,
        null,
        null,
        null,
        h.since
    from holders as h
    inner join shown_needs as n on h.instance_id = n.instance_id and h.database_name = n.database_name and h.need = n.need
    where h.via_id is not null
    union all
    select
        instance_id,
        database_name,
        account_id,
        'become',
        via_id,
        null,
        null,
        null,
        since
    from becoming
    where via_id is not null
)

select
    s.instance_id,
    s.database_name,
    s.account_id,
    a.account_name,
    a.account_kind,
    a.can_login,
    a.is_everyone,
    coalesce(n.answer, case when b.account_id is not null then 'no' end) as has_now,
    s.step,
    s.via_id,
    s.privilege,
    s.scope,
    s.origin,
    s.since
from steps as s
inner join accounts as a on s.account_id = a.account_id
left join best_now as n on s.instance_id = n.instance_id and s.database_name = n.database_name and s.account_id = n.account_id
left join (select distinct
    instance_id,
    database_name,
    account_id
from becoming) as b
    on s.instance_id = b.instance_id and s.database_name = b.database_name and s.account_id = b.account_id
order by s.instance_id, s.database_name, a.account_name, s.step, s.via_id
