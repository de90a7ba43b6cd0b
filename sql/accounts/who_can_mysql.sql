-- Who has a privilege on schemas or tables of MySQL and MariaDB on a day, and through which steps. Privileges of the server, of matching
-- schema patterns and of the table add up, less what an account was partially revoked. Which of several matching schema rows of one user
-- counts, and whether those of the same user under another host count, only the server knows in a session: the answer is depends.
-- Parameters: day, privilege, instance_ids (integer[]), database_names, schema_names (of no use here), object_names (text[]: an entry per
-- target).
-- Returns: one row per step of an account: instance_id, database_name, account_id, account_name, account_kind, can_login, is_everyone,
-- has_now (yes, depends, or no: only after SET ROLE), step (fact, member, become), via_id (the account that the step leads to), privilege,
-- scope, origin, since. Also the steps of accounts between, with has_now NULL.
with recursive targets as (
    select
        t.instance_id,
        t.database_name,
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
        v.user_name,
        coalesce(v.host_name, '') ~ '[%%_/]' as has_host_pattern
    from instance_accounts as a
    inner join account_attributes as v on a.account_id = v.account_id
    where
        a.instance_id = any(%(instance_ids)s::integer[])
        and v.valid_from <= %(day)s
        and (v.valid_until is null or v.valid_until > %(day)s)
),

-- The few facts about the targets come first, so that a question about one table does not read the privileges of the fleet.
named_facts as materialized (
    select
        null::text as target_name,
        f.database_name as pattern,
        f.fact_id,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from account_privilege_facts as f
    where f.scope = 'server' and f.privilege = %(privilege)s
    union all
    select
        t.database_name,
        f.database_name,
        f.fact_id,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from (select distinct database_name from targets) as t
    inner join account_privilege_facts as f
        on
            f.scope = 'database'
            and (f.database_name = t.database_name or (strpos(f.traits, 'pattern') > 0 and t.database_name like f.database_name))
    union all
    select
        t.database_name,
        f.database_name,
        f.fact_id,
        f.scope,
        f.privilege,
        f.origin,
        f.effect
    from (select distinct
        database_name,
        object_name
    from targets) as t
    inner join account_privilege_facts as f on f.database_name = t.database_name and f.object_name = t.object_name
    where f.scope in ('table', 'column')
),

facts as (
    select
        t.instance_id,
        t.database_name,
        p.account_id,
        p.valid_from,
        a.user_name,
        a.has_host_pattern,
        f.scope,
        f.pattern,
        f.privilege,
        f.origin,
        f.effect
    from named_facts as f
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join accounts as a on p.account_id = a.account_id
    inner join targets as t on a.instance_id = t.instance_id and (f.target_name is null or f.target_name = t.database_name)
    where p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

-- the rows of mysql.db that match for one user, and how many of them have the privilege
schema_rows as (
    select
        instance_id,
        database_name,
        user_name,
        count(distinct account_id::text || '/' || pattern) as all_rows,
        count(distinct account_id::text || '/' || pattern) filter (where privilege = %(privilege)s) as having_rows
    from facts
    where scope = 'database' and effect = 'grant'
    group by instance_id, database_name, user_name
),

sources as (
    select
        f.instance_id,
        f.database_name,
        f.account_id,
        f.privilege,
        f.scope,
        f.origin,
        f.valid_from,
        f.scope = 'column' or (f.scope = 'database' and r.having_rows < r.all_rows) as is_partial
    from facts as f
    left join schema_rows as r on f.instance_id = r.instance_id and f.database_name = r.database_name and f.user_name = r.user_name
    where
        f.effect = 'grant'
        and f.privilege = %(privilege)s
        and not (
            f.scope = 'server'
            and exists (
                select 1 from facts as x
                where
                    x.effect = 'revoke'
                    and x.account_id = f.account_id
                    and x.database_name = f.database_name
                    and x.privilege = f.privilege
            )
        )
    union all
    -- the same user under a wider host
    select
        f.instance_id,
        f.database_name,
        a.account_id,
        f.privilege,
        f.scope,
        f.origin,
        f.valid_from,
        true
    from facts as f
    inner join accounts as a
        on f.instance_id = a.instance_id and f.user_name = a.user_name and f.account_id <> a.account_id
    where
        f.effect = 'grant'
        and f.privilege = %(privilege)s
        and f.scope in ('database', 'table')
        and f.has_host_pattern
        and a.account_kind <> 'role'
),

holders (instance_id, database_name, account_id, via_id, is_active, is_partial, since) as (
    select
        instance_id,
        database_name,
        account_id,
        null::integer,
        true,
        is_partial,
        null::date
    from sources
    union
    -- nested roles come with the role that was activated
    select
        h.instance_id,
        h.database_name,
        m.member_id,
        h.account_id,
        m.is_default,
        h.is_partial,
        m.valid_from
    from holders as h
    inner join account_membership_versions as m on h.account_id = m.role_id
    where m.inherits and m.valid_from <= %(day)s and (m.valid_until is null or m.valid_until > %(day)s)
),

answers as (
    select
        instance_id,
        database_name,
        account_id,
        case
            when bool_or(is_active and not is_partial) then 'yes'
            when bool_or(is_active) then 'depends'
            else 'no'
        end as answer
    from holders
    group by instance_id, database_name, account_id
),

steps as (
    select
        instance_id,
        database_name,
        account_id,
        'fact' as step,
        null::integer as via_id,
        privilege,
        scope,
        origin,
        valid_from as since
    from sources
    union all
    select
        h.instance_id,
        h.database_name,
        h.account_id,
        s.step,
        h.via_id,
        null,
        null,
        null,
        h.since
    from holders as h
    cross join (values ('member'), ('become')) as s (step)
    where h.via_id is not null
)

select
    s.instance_id,
    s.database_name,
    s.account_id,
    a.account_name,
    a.account_kind,
    a.can_login,
    a.is_everyone,
    n.answer as has_now,
    s.step,
    s.via_id,
    s.privilege,
    s.scope,
    s.origin,
    s.since
from steps as s
inner join accounts as a on s.account_id = a.account_id
inner join answers as n on s.instance_id = n.instance_id and s.database_name = n.database_name and s.account_id = n.account_id
order by s.instance_id, s.database_name, a.account_name, s.step, s.via_id
