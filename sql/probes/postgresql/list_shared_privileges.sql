-- Privileges on what belongs to the whole server: databases, tablespaces, parameters. A NULL list of privileges is the built-in one, by
-- which everybody may connect to a database; what the owner has by itself is in the row of the owner alone.
-- Trap: aclexplode decompresses a stored list once for each of its entries (10,000 entries took 4 s); to add nothing to it yields a copy.
-- Parameters: none.
-- Returns: scope, object_name (bytea), account_id (0: PUBLIC), grantor_id, privileges (with * where it may be granted on), origin, effect.
-- Sources: catalogues pg_database, pg_tablespace, pg_parameter_acl.
with objects as (
    select
        'database' as scope,
        datname::pg_catalog.text as object_name,
        datdba as owner,
        datacl as acl,
        pg_catalog.acldefault('d', datdba) as default_acl
    from pg_catalog.pg_database
    union all
    select
        'tablespace' as scope,
        spcname::pg_catalog.text as object_name,
        spcowner as owner,
        spcacl as acl,
        pg_catalog.acldefault('t', spcowner) as default_acl
    from pg_catalog.pg_tablespace
    union all
    select
        'parameter' as scope,
        parname as object_name,
        null::pg_catalog.oid as owner,
        paracl as acl,
        paracl as default_acl
    from pg_catalog.pg_parameter_acl
)

select
    o.scope,
    pg_catalog.textsend(o.object_name) as object_name,
    e.account_id,
    e.grantor_id,
    e.privileges,
    e.origin,
    e.effect
from objects as o
cross join
    lateral (
        select
            o.owner as account_id,
            null::pg_catalog.oid as grantor_id,
            'OWNER' as privileges,
            'ownership' as origin,
            'grant' as effect
        where o.owner is not null
        union all
        select
            a.grantee as account_id,
            a.grantor as grantor_id,
            pg_catalog.string_agg(
                a.privilege_type operator(pg_catalog.||) case when a.is_grantable then '*' else '' end, ','
                order by a.privilege_type
            ) as privileges,
            case when o.acl is null then 'default' else 'grant' end as origin,
            'grant' as effect
        from pg_catalog.aclexplode(coalesce(o.acl, o.default_acl) operator(pg_catalog.||) array[]::pg_catalog.aclitem[]) as a
        where coalesce(a.grantee operator(pg_catalog.<>) o.owner, true)
        group by a.grantee, a.grantor
        union all
        select
            o.owner as account_id,
            null::pg_catalog.oid as grantor_id,
            pg_catalog.string_agg(f.privilege_type, ',' order by f.privilege_type) as privileges,
            'ownership' as origin,
            'revoke' as effect
        from pg_catalog.aclexplode(o.default_acl) as f
        where
            o.acl is not null
            and f.grantee operator(pg_catalog.=) o.owner
            and not exists (
                select 1 as is_kept
                from pg_catalog.aclexplode(o.acl operator(pg_catalog.||) array[]::pg_catalog.aclitem[]) as g
                where g.grantee operator(pg_catalog.=) o.owner and g.privilege_type operator(pg_catalog.=) f.privilege_type
            )
    ) as e
where e.privileges is not null
