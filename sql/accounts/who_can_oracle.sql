-- Who has a privilege on schemas or tables of Oracle on a day, and through which steps, by the documented rules ("Configuring privilege and
-- role authorization", system privileges of GRANT). Object privileges, ownership of the schema, and ANY privileges add up, by itself,
-- through PUBLIC, and through roles that are active at login: the default ones without a password, and all that these contain. ANY
-- privileges do not open the schema SYS, which SELECT ANY DICTIONARY reads. Nothing can be denied.
-- Parameters: day, privilege, instance_ids (integer[]), database_names (of no use here), schema_names, object_names (text[]: an entry per
-- target).
-- Returns: one row per step of an account: instance_id, database_name, account_id, account_name, account_kind, can_login, is_everyone,
-- has_now (yes, depends, or no: by SET ROLE, as a proxy, or AS SYSDBA), step (superuser, fact, member, become), via_id (the account that
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
        v.authentication,
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
        m.account_kind = 'role' or (v.is_default and r.authentication is distinct from 'password') as is_active,
        v.valid_from
    from account_membership_versions as v
    inner join accounts as m on v.member_id = m.account_id
    inner join accounts as r on v.role_id = r.account_id
    where v.valid_from <= %(day)s and (v.valid_until is null or v.valid_until > %(day)s)
),

-- The privilege itself, or a system privilege that has it on every object. READ is SELECT without locking rows.
wanted as (
    select
        t.instance_id,
        t.schema_name,
        t.object_name,
        w.scope,
        w.privilege
    from targets as t
    cross join
        lateral (
            values
            ('table', %(privilege)s::text, t.object_name is not null),
            ('table', 'READ', t.object_name is not null and %(privilege)s = 'SELECT'),
            ('table', 'SELECT', t.object_name is not null and %(privilege)s = 'READ'),
            ('server', %(privilege)s || ' ANY TABLE', t.object_name is not null and t.schema_name <> 'SYS'),
            ('server', 'READ ANY TABLE', t.object_name is not null and t.schema_name <> 'SYS' and %(privilege)s = 'SELECT'),
            ('server', 'SELECT ANY TABLE', t.object_name is not null and t.schema_name <> 'SYS' and %(privilege)s = 'READ'),
            (
                'server', 'SELECT ANY DICTIONARY',
                t.object_name is not null and t.schema_name = 'SYS' and %(privilege)s in ('SELECT', 'READ')
            ),
            ('server', %(privilege)s, t.object_name is null),
            ('server', 'DROP USER', t.object_name is null and t.schema_name <> 'SYS' and %(privilege)s = 'DROP')
        ) as w (scope, privilege, is_one)
    where w.is_one
),

sources as (
    select
        w.instance_id,
        p.account_id,
        f.privilege,
        f.scope,
        f.origin,
        p.valid_from,
        f.scope = 'column' as is_partial
    from wanted as w
    inner join account_privilege_facts as f
        on
            w.privilege = f.privilege
            and (f.scope = w.scope or (f.scope = 'column' and w.scope = 'table'))
            and (w.scope = 'server' or (f.schema_name = w.schema_name and f.object_name = w.object_name))
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id and w.instance_id = a.instance_id
    where f.effect = 'grant' and p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
    union
    select
        t.instance_id,
        p.account_id,
        f.privilege,
        f.scope,
        f.origin,
        p.valid_from,
        false
    from targets as t
    inner join account_privilege_facts as f on f.scope = 'schema' and f.privilege = 'OWNER' and f.schema_name = t.schema_name
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id and t.instance_id = a.instance_id
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

holders (instance_id, account_id, via_id, is_active, is_partial, since) as (
    select
        instance_id,
        account_id,
        null::integer,
        true,
        is_partial,
        null::date
    from sources
    union
    -- roles in a role come with it
    select
        h.instance_id,
        m.member_id,
        h.account_id,
        m.is_active,
        h.is_partial,
        m.valid_from
    from holders as h
    inner join memberships as m on h.account_id = m.role_id
),

best_now as (
    select
        h.instance_id,
        h.account_id,
        case when bool_or(not h.is_partial) then 'yes' else 'depends' end as answer
    from (
        select
            instance_id,
            account_id,
            is_partial
        from holders
        where is_active
        union all
        -- the owner of the dictionary has every privilege
        select
            instance_id,
            account_id,
            false
        from accounts
        where account_name = 'SYS'
    ) as h
    group by h.instance_id, h.account_id
),

-- by SET ROLE, as the proxy of a user, and with SYSDBA, which is a session of SYS
steps_of_becoming as (
    select
        member_id,
        role_id,
        valid_from
    from memberships
    union all
    select
        p.account_id,
        b.account_id,
        p.valid_from
    from account_privilege_facts as f
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id
    inner join accounts as b
        on
            a.instance_id = b.instance_id
            and a.account_id <> b.account_id
            and case when f.scope = 'account' then f.object_name else 'SYS' end = b.account_name
    where
        ((f.scope = 'account' and f.privilege = 'PROXY') or (f.scope = 'server' and f.privilege = 'SYSDBA'))
        and p.valid_from <= %(day)s
        and (p.valid_until is null or p.valid_until > %(day)s)
),

becoming (instance_id, account_id, via_id, since) as (
    select
        instance_id,
        account_id,
        null::integer,
        null::date
    from best_now
    where answer = 'yes'
    union
    select
        b.instance_id,
        s.member_id,
        b.account_id,
        s.valid_from
    from becoming as b
    inner join steps_of_becoming as s on b.account_id = s.role_id
),

steps as (
    select
        a.instance_id,
        a.account_id,
        'superuser' as step,
        null::integer as via_id,
        null::text as privilege,
        null::text as scope,
        null::text as origin,
        a.valid_from as since
    from accounts as a
    where a.account_name = 'SYS'
    union
    select
        instance_id,
        account_id,
        'fact',
        null,
        privilege,
        scope,
        origin,
        valid_from
    from sources
    union
    select
        instance_id,
        account_id,
        'member',
        via_id,
        null,
        null,
        null,
        since
    from holders
    where via_id is not null and is_active
    union
    select
        instance_id,
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
    null::text as database_name,
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
left join best_now as n on s.account_id = n.account_id
left join (select distinct account_id from becoming) as b on s.account_id = b.account_id
order by s.instance_id, a.account_name, s.step, s.via_id
