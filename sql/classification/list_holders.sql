-- The accounts that have a privilege: by themselves, unless only those are asked for through roles that they have now, and with `public`
-- as everybody on their server. What the public role of a single database has is not everybody's.
-- Parameters: day, engine, effect (grant or deny), name, like, scope, database, object, grantable (NULL: any), own (boolean; NULL: through
-- roles, too), public (boolean).
-- Returns: account_id.
with recursive facts as (
    select
        f.fact_id,
        f.database_name
    from account_privilege_facts as f
    where
        f.effect = %(effect)s::text
        and (%(name)s::text is null or f.privilege = %(name)s::text)
        and (%(like)s::text is null or f.privilege like %(like)s::text)
        and (%(scope)s::text is null or f.scope = %(scope)s::text)
        and (%(database)s::text is null or f.database_name = %(database)s::text)
        and (%(object)s::text is null or f.object_name = %(object)s::text)
        -- what is denied is denied whether or not it could have been granted on
        and (%(grantable)s::boolean is null or f.effect = 'deny' or f.is_grantable)
),

held as (
    select
        p.account_id,
        f.database_name
    from facts as f
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join classified_accounts as o on p.account_id = o.account_id
    where o.engine = %(engine)s and p.valid_from <= %(day)s and (p.valid_until is null or p.valid_until > %(day)s)
),

holders (account_id, is_active) as (
    select
        h.account_id,
        true as is_active
    from held as h
    union
    -- a membership that holds in one database alone brings what the role has there
    select
        m.member_id,
        m.is_default
    from held as h
    inner join account_membership_versions as m on h.account_id = m.role_id
    where
        not coalesce(%(own)s::boolean, false)
        and m.inherits
        and (m.database_name is null or m.database_name = h.database_name)
        and m.valid_from <= %(day)s
        and (m.valid_until is null or m.valid_until > %(day)s)
    union
    -- nested roles come with the role that is active
    select
        m.member_id,
        m.is_default
    from holders as h
    inner join nested_memberships as m on h.account_id = m.role_id
    where not coalesce(%(own)s::boolean, false) and m.inherits and m.database_name is null
)

select h.account_id
from holders as h
where h.is_active
union all
select o.account_id
from classified_accounts as o
where
    coalesce(%(public)s::boolean, false)
    and o.engine = %(engine)s
    and o.instance_id in (
        select e.instance_id
        from holders as h
        inner join classified_accounts as e on h.account_id = e.account_id
        where h.is_active and e.is_everyone and e.database_name is null
    )
