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

-- Everything begins with the few facts about the targets: a statement that begins with the accounts of their servers reads the whole fleet.
named_facts as materialized (
    select
        null::text as database_name,
        f.fact_id,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from account_privilege_facts as f
    where f.scope = 'server' and f.privilege in (%(privilege)s, 'USAGE', 'CONNECT', 'OWNER')
    union all
    select
        f.database_name,
        f.fact_id,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from account_privilege_facts as f
    where
        f.scope = 'database'
        and f.privilege in (%(privilege)s, 'CONNECT', 'OWNER')
        and f.database_name = any(%(database_names)s::text[])
    union all
    select
        f.database_name,
        f.fact_id,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from account_privilege_facts as f
    inner join (select distinct
        database_name,
        schema_name,
        object_name
    from targets) as t
        on f.database_name = t.database_name and f.schema_name = t.schema_name
    where
        (f.scope = 'schema' and f.privilege in (%(privilege)s, 'USAGE', 'OWNER'))
        or (f.scope in ('table', 'column') and f.object_name = t.object_name and f.privilege in (%(privilege)s, 'OWNER'))
),

facts as (
    select
        t.instance_id,
        t.database_name,
        p.account_id,
        p.valid_from,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from named_facts as f
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join instance_accounts as a on p.account_id = a.account_id
    inner join targets as t on a.instance_id = t.instance_id and (f.database_name is null or f.database_name = t.database_name)
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

superusers as (
    select
        a.instance_id,
        a.account_id,
        v.valid_from
    from account_attributes as v
    inner join instance_accounts as a on v.account_id = a.account_id
    where
        v.is_superuser
        and a.instance_id = any(%(instance_ids)s::integer[])
        and v.valid_from <= %(day)s
        and (v.valid_until is null or v.valid_until > %(day)s)
),

everybody as (
    select
        a.instance_id,
        a.account_id
    from instance_accounts as a
    inner join account_attributes as v on a.account_id = v.account_id
    where
        a.is_everyone
        and a.instance_id = any(%(instance_ids)s::integer[])
        and v.valid_from <= %(day)s
        and (v.valid_until is null or v.valid_until > %(day)s)
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
    inner join facts as f on n.instance_id = f.instance_id and n.database_name = f.database_name
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
    inner join account_membership_versions as m on h.account_id = m.role_id
    where
        m.inherits
        and (m.database_name is null or m.database_name = h.database_name)
        and m.valid_from <= %(day)s
        and (m.valid_until is null or m.valid_until > %(day)s)
),

-- what everybody has needs nobody to have it
open_needs as (
    select distinct
        h.instance_id,
        h.database_name,
        h.need
    from holders as h
    inner join everybody as a on h.account_id = a.account_id
    where not h.is_partial
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

closed_counts as (
    select
        t.instance_id,
        t.database_name,
        count(c.need) as needs
    from targets as t
    left join closed_needs as c on t.instance_id = c.instance_id and t.database_name = c.database_name
    group by t.instance_id, t.database_name
),

has_now as (
    select
        m.instance_id,
        m.database_name,
        m.account_id,
        case when bool_or(m.is_partial) then 'depends' else 'yes' end as answer
    from met as m
    inner join closed_counts as c on m.instance_id = c.instance_id and m.database_name = c.database_name
    group by m.instance_id, m.database_name, m.account_id, c.needs
    having count(*) = c.needs
    union
    select
        t.instance_id,
        t.database_name,
        a.account_id,
        'yes'
    from targets as t
    inner join superusers as a on t.instance_id = a.instance_id
    union
    select
        c.instance_id,
        c.database_name,
        a.account_id,
        'yes'
    from closed_counts as c
    inner join everybody as a on c.instance_id = a.instance_id
    where c.needs = 0
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
    inner join account_membership_versions as m on b.account_id = m.role_id
    where
        m.can_set
        and (m.database_name is null or m.database_name = b.database_name)
        and m.valid_from <= %(day)s
        and (m.valid_until is null or m.valid_until > %(day)s)
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
    inner join superusers as a on t.instance_id = a.instance_id
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
    v.account_name,
    a.account_kind,
    v.can_login,
    a.is_everyone,
    coalesce(n.answer, case when b.account_id is not null then 'no' end) as has_now,
    s.step,
    s.via_id,
    s.privilege,
    s.scope,
    s.origin,
    s.since
from steps as s
inner join instance_accounts as a on s.account_id = a.account_id
inner join account_attributes as v
    on s.account_id = v.account_id and v.valid_from <= %(day)s and (v.valid_until is null or v.valid_until > %(day)s)
left join best_now as n on s.instance_id = n.instance_id and s.database_name = n.database_name and s.account_id = n.account_id
left join (select distinct
    instance_id,
    database_name,
    account_id
from becoming) as b
    on s.instance_id = b.instance_id and s.database_name = b.database_name and s.account_id = b.account_id
order by s.instance_id, s.database_name, v.account_name, s.step, s.via_id
