-- Who has a privilege on databases or tables of SQL Server on a day, and through which steps, by the documented rules ("Permissions
-- hierarchy", "DENY", sys.fn_builtin_permissions, "DROP TABLE"). A login needs two things: the privilege, or one that covers it, on the
-- object or on what the object is in; and CONNECT on the database. DENY on any way beats every grant on it, but for members of sysadmin,
-- for owners themselves, and for columns: a column's grant beats the denial of its table.
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
        a.database_name as home,
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

-- Each privilege that is enough, on which scope. What lies on one way is denied by a denial of anything on that way; DROP TABLE has two:
-- ALTER on the schema, or CONTROL on the table.
ways as (
    select
        t.instance_id,
        t.database_name,
        t.schema_name,
        t.object_name,
        w.need,
        w.way,
        w.scope,
        w.privilege
    from targets as t
    cross join
        lateral (
            values
            ('entry', 'entry', 'database', 'CONNECT', t.object_name is not null),
            ('entry', 'entry', 'database', 'CONTROL', t.object_name is not null),
            ('entry', 'entry', 'server', 'CONNECT ANY DATABASE', t.object_name is not null),
            ('entry', 'entry', 'server', 'CONTROL SERVER', t.object_name is not null),
            ('object', 'object', 'table', %(privilege)s::text, t.object_name is not null and %(privilege)s <> 'DROP'),
            ('object', 'object', 'schema', %(privilege)s, t.object_name is not null and %(privilege)s <> 'DROP'),
            ('object', 'object', 'database', %(privilege)s, not (t.object_name is not null and %(privilege)s = 'DROP')),
            ('object', 'object', 'table', 'CONTROL', t.object_name is not null),
            ('object', 'object', 'schema', 'CONTROL', t.object_name is not null),
            ('object', 'object', 'database', 'CONTROL', true),
            ('object', 'object', 'server', 'CONTROL SERVER', true),
            ('object', 'object', 'server', 'SELECT ALL USER SECURABLES', %(privilege)s = 'SELECT'),
            ('object', 'object', 'server', 'VIEW ANY DEFINITION', %(privilege)s = 'VIEW DEFINITION'),
            ('object', 'object', 'server', 'CONNECT ANY DATABASE', %(privilege)s = 'CONNECT'),
            ('object', 'object', 'database', 'ALTER', t.object_name is null and %(privilege)s ~ '^(CREATE|ALTER ANY) '),
            ('object', 'object', 'database', 'ALTER ANY SCHEMA', t.object_name is not null and %(privilege)s = 'ALTER'),
            (
                'object', 'object', 'server', 'ALTER ANY DATABASE',
                %(privilege)s = 'ALTER' or (t.object_name is null and %(privilege)s = 'DROP')
            ),
            ('object', 'schema', 'schema', 'ALTER', t.object_name is not null and %(privilege)s = 'DROP'),
            ('object', 'schema', 'schema', 'CONTROL', t.object_name is not null and %(privilege)s = 'DROP'),
            ('object', 'schema', 'database', 'ALTER ANY SCHEMA', t.object_name is not null and %(privilege)s = 'DROP'),
            ('object', 'schema', 'database', 'ALTER', t.object_name is not null and %(privilege)s = 'DROP'),
            ('object', 'schema', 'database', 'CONTROL', t.object_name is not null and %(privilege)s = 'DROP'),
            ('object', 'schema', 'server', 'ALTER ANY DATABASE', t.object_name is not null and %(privilege)s = 'DROP'),
            ('object', 'schema', 'server', 'CONTROL SERVER', t.object_name is not null and %(privilege)s = 'DROP')
        ) as w (need, way, scope, privilege, is_one)
    where w.is_one
),

facts as (
    select
        w.instance_id,
        w.database_name,
        w.need,
        w.way,
        p.account_id,
        p.valid_from,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from ways as w
    inner join account_privilege_facts as f
        on
            w.privilege = f.privilege
            and (f.scope = w.scope or (f.scope = 'column' and w.scope = 'table'))
            and (w.scope = 'server' or f.database_name = w.database_name)
            and (w.scope in ('server', 'database') or f.schema_name = w.schema_name)
            and (w.scope <> 'table' or f.object_name = w.object_name)
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id and w.instance_id = a.instance_id
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

-- who owns the database or the schema has all ways to what is in it
owners as (
    select
        w.instance_id,
        w.database_name,
        w.need,
        w.way,
        p.account_id,
        min(p.valid_from) as valid_from,
        f.scope,
        f.privilege,
        f.origin
    from ways as w
    inner join account_privilege_facts as f
        on
            f.privilege = 'OWNER'
            and f.database_name = w.database_name
            and (f.scope = 'database' or (f.scope = 'schema' and f.schema_name = w.schema_name and w.need = 'object'))
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id and w.instance_id = a.instance_id
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
    group by w.instance_id, w.database_name, w.need, w.way, p.account_id, f.scope, f.privilege, f.origin
),

sources as (
    select
        instance_id,
        database_name,
        need,
        way,
        account_id,
        privilege,
        scope,
        origin,
        valid_from,
        scope = 'column' as is_partial,
        false as is_owner
    from facts
    where effect = 'grant'
    union
    select
        instance_id,
        database_name,
        need,
        way,
        account_id,
        privilege,
        scope,
        origin,
        valid_from,
        false,
        true
    from owners
),

-- Everybody is in the public roles. That is written out only where something is denied: then what everybody has is not what each has.
memberships as (
    select
        v.member_id,
        v.role_id,
        v.valid_from
    from account_membership_versions as v
    inner join accounts as m on v.member_id = m.account_id
    where v.valid_from <= %(day)s and (v.valid_until is null or v.valid_until > %(day)s)
    union
    select
        m.account_id,
        e.account_id,
        e.valid_from
    from accounts as e
    inner join accounts as m on e.instance_id = m.instance_id and (m.home is null or m.home = e.home)
    where
        e.is_everyone
        and not m.is_everyone
        and e.instance_id in (select instance_id from facts where effect = 'deny')
),

holders (instance_id, database_name, need, way, account_id, via_id, is_partial, is_owner, since) as (
    select
        instance_id,
        database_name,
        need,
        way,
        account_id,
        null::integer,
        is_partial,
        is_owner,
        null::date
    from sources
    union
    -- an owner is out of reach of DENY, the members of a role that owns are not
    select
        h.instance_id,
        h.database_name,
        h.need,
        h.way,
        m.member_id,
        h.account_id,
        h.is_partial,
        false,
        m.valid_from
    from holders as h
    inner join memberships as m on h.account_id = m.role_id
),

denied (instance_id, database_name, need, way, account_id, is_partial) as (
    select
        instance_id,
        database_name,
        need,
        way,
        account_id,
        scope = 'column'
    from facts
    where effect = 'deny'
    union
    select
        d.instance_id,
        d.database_name,
        d.need,
        d.way,
        m.member_id,
        d.is_partial
    from denied as d
    inner join memberships as m on d.account_id = m.role_id
),

administrators (instance_id, account_id) as (
    select
        instance_id,
        account_id
    from accounts
    where is_superuser
    union
    select
        a.instance_id,
        m.member_id
    from administrators as a
    inner join memberships as m on a.account_id = m.role_id
),

-- how far each way leads: 2 yes, 1 depends, nothing at all
led as (
    select
        h.instance_id,
        h.database_name,
        h.need,
        h.way,
        h.account_id,
        case
            when bool_or(h.is_owner) then 2
            when bool_or(not h.is_partial) and not exists (
                select 1 from denied as d
                where
                    d.instance_id = h.instance_id and d.database_name = h.database_name and d.need = h.need and d.way = h.way
                    and d.account_id = h.account_id
            ) then 2
            when not bool_or(h.is_partial) and exists (
                select 1 from denied as d
                where
                    d.instance_id = h.instance_id and d.database_name = h.database_name and d.need = h.need and d.way = h.way
                    and d.account_id = h.account_id and not d.is_partial
            ) then 0
            else 1
        end as strength
    from holders as h
    group by h.instance_id, h.database_name, h.need, h.way, h.account_id
),

met as (
    select
        instance_id,
        database_name,
        need,
        account_id,
        max(strength) as strength
    from led
    group by instance_id, database_name, need, account_id
),

-- whose guest may enter lets every login in
open_databases as (
    select distinct
        m.instance_id,
        m.database_name
    from met as m
    inner join accounts as a on m.account_id = a.account_id
    where m.need = 'entry' and m.strength = 2 and a.home = m.database_name and a.account_name like '%%.[guest]'
),

has_now as (
    select
        o.instance_id,
        o.database_name,
        o.account_id,
        -- what everybody has is denied to somebody, who has a row of its own
        case
            when a.is_everyone and exists (select 1 from facts as f where f.instance_id = o.instance_id and f.effect = 'deny') then 1
            else o.strength
        end as strength
    from met as o
    inner join accounts as a on o.account_id = a.account_id
    where
        o.need = 'object'
        and o.strength > 0
        and (
            -- roles do not log in, and what lives in the database is in it
            a.account_kind = 'role'
            or a.home is not null
            or not exists (select 1 from ways as w where w.instance_id = o.instance_id and w.need = 'entry')
            or exists (
                select 1 from met as e
                where
                    e.need = 'entry' and e.strength = 2 and e.instance_id = o.instance_id and e.database_name = o.database_name
                    and e.account_id = o.account_id
            )
            or exists (
                select 1 from open_databases as g where g.instance_id = o.instance_id and g.database_name = o.database_name
            )
        )
    union
    select
        t.instance_id,
        t.database_name,
        a.account_id,
        2
    from targets as t
    inner join administrators as a on t.instance_id = a.instance_id
),

best_now as (
    select
        instance_id,
        database_name,
        account_id,
        max(strength) as strength
    from has_now
    group by instance_id, database_name, account_id
),

-- Whom an account may become: by IMPERSONATE; any login with CONTROL SERVER, and sysadmin as securityadmin, which Microsoft calls equal to
-- it; the owner of a database with CONTROL of that database, on the whole server only if the database is trustworthy.
impersonations as (
    select
        p.account_id as member_id,
        b.account_id as role_id,
        f.database_name,
        p.valid_from
    from account_privilege_facts as f
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id
    inner join accounts as b on a.instance_id = b.instance_id and a.account_id <> b.account_id
    left join account_privilege_facts as o
        on o.privilege = 'OWNER' and o.scope = 'database' and f.scope = 'database' and o.database_name = f.database_name
    left join account_privileges as r
        on
            o.fact_id = r.fact_id and b.account_id = r.account_id
            and r.valid_from <= %(day)s and (r.valid_until is null or r.valid_until > %(day)s)
    where
        p.valid_from <= %(day)s
        and (p.valid_until is null or p.valid_until > %(day)s)
        and f.effect = 'grant'
        and f.privilege in ('IMPERSONATE', 'CONTROL', 'CONTROL SERVER', 'IMPERSONATE ANY LOGIN', 'ALTER ANY LOGIN')
        and (
            (f.scope = 'account' and f.privilege in ('IMPERSONATE', 'CONTROL') and f.object_name = b.account_name)
            or (
                f.scope = 'server' and f.privilege in ('CONTROL SERVER', 'IMPERSONATE ANY LOGIN')
                and b.home is null and b.account_kind <> 'role'
            )
            or (f.scope = 'server' and f.privilege = 'ALTER ANY LOGIN' and a.account_name = 'securityadmin' and b.account_name = 'sysadmin')
            or (f.scope = 'database' and f.privilege = 'CONTROL' and r.account_id is not null)
        )
    union
    select
        p.account_id,
        b.account_id,
        null,
        p.valid_from
    from account_privilege_facts as f
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id
    inner join account_privilege_facts as o on f.database_name = o.database_name
    inner join account_privileges as r on o.fact_id = r.fact_id
    inner join accounts as b on r.account_id = b.account_id and a.instance_id = b.instance_id and a.account_id <> b.account_id
    where
        p.valid_from <= %(day)s
        and (p.valid_until is null or p.valid_until > %(day)s)
        and r.valid_from <= %(day)s
        and (r.valid_until is null or r.valid_until > %(day)s)
        and f.scope = 'database'
        and f.privilege = 'CONTROL'
        and f.effect = 'grant'
        and o.scope = 'database'
        and o.privilege = 'OWNER'
        and o.traits = 'trustworthy'
),

becoming (instance_id, database_name, account_id, via_id, since) as (
    select
        instance_id,
        database_name,
        account_id,
        null::integer,
        null::date
    from best_now
    where strength = 2
    union
    select
        b.instance_id,
        b.database_name,
        e.member_id,
        b.account_id,
        e.valid_from
    from becoming as b
    inner join (
        select
            member_id,
            role_id,
            database_name,
            valid_from,
            true as is_impersonation
        from impersonations
        union all
        select
            member_id,
            role_id,
            null,
            valid_from,
            false
        from memberships
    ) as e on b.account_id = e.role_id and (e.database_name is null or e.database_name = b.database_name)
    -- a member has what its role may become; what the role has by itself may be denied to the member
    where e.is_impersonation or b.via_id is not null
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
    union
    select
        instance_id,
        database_name,
        account_id,
        'fact',
        null,
        privilege,
        scope,
        origin,
        valid_from
    from sources
    where need = 'object'
    union
    select
        instance_id,
        database_name,
        account_id,
        'member',
        via_id,
        null,
        null,
        null,
        since
    from holders
    where need = 'object' and via_id is not null
    union
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
    case n.strength when 2 then 'yes' when 1 then 'depends' else case when b.account_id is not null then 'no' end end as has_now,
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
