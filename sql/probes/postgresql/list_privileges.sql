-- Who owns what in the current database, and has which privileges on it. A NULL list of privileges is the built-in one (everybody may
-- execute a function); what the owner has by itself is in the row of the owner alone. An object of the server or of an extension counts
-- only where its privileges are no longer those that it came with: a planted hole. information_schema is older than the record of these.
-- Large objects are left out, because there may be millions of them.
-- Trap: aclexplode decompresses a stored list once for each of its entries (10,000 entries took 4 s); to add nothing to it yields a copy.
-- Parameters: none.
-- Returns: scope, schema_name, object_name, column_name (bytea, UTF-8 where the database has an encoding), traits, account_id (0: PUBLIC),
-- grantor_id, privileges (with * where it may be granted on), origin, effect.
-- Sources: catalogues with an ACL (pg_class, pg_attribute, pg_proc and the like), and pg_init_privs, which is joined because it has no
-- index that is of use.
with hidden_schemas as (
    select oid
    from pg_catalog.pg_namespace
    where
        nspname operator(pg_catalog.~) '^pg_(toast|temp_|toast_temp_)'
        or (nspname operator(pg_catalog.=) 'information_schema' and oid operator(pg_catalog.<) 16384)
),

objects as (
    select
        case when c.relkind operator(pg_catalog.=) 'S' then 'sequence' else 'table' end as scope,
        c.relnamespace as schema_id,
        c.relname::pg_catalog.text as object_name,
        null as column_name,
        c.relowner as owner,
        true as has_owner,
        c.relacl as acl,
        pg_catalog.acldefault(
            case when c.relkind operator(pg_catalog.=) 'S' then 's'::pg_catalog.char else 'r'::pg_catalog.char end, c.relowner
        ) as default_acl,
        pg_catalog.concat_ws(
            ',',
            case
                when c.relkind operator(pg_catalog.=) 'v' then 'view'
                when c.relkind operator(pg_catalog.=) 'm' then 'materialized_view'
                when c.relkind operator(pg_catalog.=) 'f' then 'foreign_table'
            end,
            case when c.relrowsecurity then 'row_security' end,
            case when c.relforcerowsecurity then 'forced_row_security' end,
            case
                when
                    c.relkind operator(pg_catalog.=) 'v'
                    and not coalesce(
                        pg_catalog.array_to_string(c.reloptions, ',') operator(pg_catalog.~*) 'security_invoker=(true|on|1|yes)', false
                    )
                    then 'runs_as_owner'
            end,
            case when c.oid operator(pg_catalog.<) 16384 then 'altered_built_in' end
        ) as traits
    from pg_catalog.pg_class as c
    left join pg_catalog.pg_init_privs as i
        on
            c.oid operator(pg_catalog.=) i.objoid
            and i.classoid operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
            and i.objsubid operator(pg_catalog.=) 0
    where
        c.relkind operator(pg_catalog.=) any('{r,p,v,m,f,S}'::pg_catalog.char[])
        and (
            (c.oid operator(pg_catalog.>=) 16384 and i.objoid is null)
            or not coalesce(c.relacl operator(pg_catalog.=) i.initprivs, c.relacl is null and i.initprivs is null)
        )
        and not exists (select 1 as is_hidden from hidden_schemas as h where h.oid operator(pg_catalog.=) c.relnamespace)
    union all
    select
        'column' as scope,
        c.relnamespace as schema_id,
        c.relname::pg_catalog.text as object_name,
        a.attname::pg_catalog.text as column_name,
        c.relowner as owner,
        false as has_owner,
        a.attacl as acl,
        pg_catalog.acldefault('c', c.relowner) as default_acl,
        case when c.oid operator(pg_catalog.<) 16384 then 'altered_built_in' else '' end as traits
    from pg_catalog.pg_attribute as a
    inner join pg_catalog.pg_class as c on a.attrelid operator(pg_catalog.=) c.oid
    left join pg_catalog.pg_init_privs as i
        on
            a.attrelid operator(pg_catalog.=) i.objoid
            and i.classoid operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
            and a.attnum operator(pg_catalog.=) i.objsubid
    where a.attacl is not null and not a.attisdropped and not coalesce(a.attacl operator(pg_catalog.=) i.initprivs, false)
    union all
    select
        'routine' as scope,
        p.pronamespace as schema_id,
        pg_catalog.concat(p.proname, '(', pg_catalog.pg_get_function_identity_arguments(p.oid), ')') as object_name,
        null as column_name,
        p.proowner as owner,
        true as has_owner,
        p.proacl as acl,
        pg_catalog.acldefault('f', p.proowner) as default_acl,
        pg_catalog.concat_ws(
            ',',
            case when p.prokind operator(pg_catalog.=) 'p' then 'procedure' end,
            case when p.prosecdef then 'runs_as_owner' end,
            case when p.oid operator(pg_catalog.<) 16384 then 'altered_built_in' end
        ) as traits
    from pg_catalog.pg_proc as p
    left join pg_catalog.pg_init_privs as i
        on
            p.oid operator(pg_catalog.=) i.objoid
            and i.classoid operator(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
            and i.objsubid operator(pg_catalog.=) 0
    where
        (p.oid operator(pg_catalog.>=) 16384 and i.objoid is null)
        or not coalesce(p.proacl operator(pg_catalog.=) i.initprivs, p.proacl is null and i.initprivs is null)
    union all
    select
        'schema' as scope,
        n.oid as schema_id,
        null as object_name,
        null as column_name,
        n.nspowner as owner,
        true as has_owner,
        n.nspacl as acl,
        pg_catalog.acldefault('n', n.nspowner) as default_acl,
        '' as traits
    from pg_catalog.pg_namespace as n
    where n.nspname operator(pg_catalog.!~) '^pg_(toast|temp_|toast_temp_)'
    union all
    select
        'type' as scope,
        t.typnamespace as schema_id,
        t.typname::pg_catalog.text as object_name,
        null as column_name,
        t.typowner as owner,
        true as has_owner,
        t.typacl as acl,
        pg_catalog.acldefault('T', t.typowner) as default_acl,
        '' as traits
    from pg_catalog.pg_type as t
    where t.oid operator(pg_catalog.>=) 16384 and t.typtype operator(pg_catalog.=) any('{d,e,r}'::pg_catalog.char[])
    union all
    select
        'language' as scope,
        null as schema_id,
        l.lanname::pg_catalog.text as object_name,
        null as column_name,
        l.lanowner as owner,
        true as has_owner,
        l.lanacl as acl,
        pg_catalog.acldefault('l', l.lanowner) as default_acl,
        case when l.lanpltrusted then '' else 'untrusted' end as traits
    from pg_catalog.pg_language as l
    where l.oid operator(pg_catalog.>=) 16384 or l.lanacl is not null
    union all
    select
        'foreign_server' as scope,
        null as schema_id,
        s.srvname::pg_catalog.text as object_name,
        null as column_name,
        s.srvowner as owner,
        true as has_owner,
        s.srvacl as acl,
        pg_catalog.acldefault('S', s.srvowner) as default_acl,
        '' as traits
    from pg_catalog.pg_foreign_server as s
    union all
    select
        'foreign_data_wrapper' as scope,
        null as schema_id,
        w.fdwname::pg_catalog.text as object_name,
        null as column_name,
        w.fdwowner as owner,
        true as has_owner,
        w.fdwacl as acl,
        pg_catalog.acldefault('F', w.fdwowner) as default_acl,
        '' as traits
    from pg_catalog.pg_foreign_data_wrapper as w
    union all
    select
        case
            when d.defaclobjtype operator(pg_catalog.=) 'r' then 'default_table'
            when d.defaclobjtype operator(pg_catalog.=) 'S' then 'default_sequence'
            when d.defaclobjtype operator(pg_catalog.=) 'f' then 'default_routine'
            when d.defaclobjtype operator(pg_catalog.=) 'T' then 'default_type'
            when d.defaclobjtype operator(pg_catalog.=) 'n' then 'default_schema'
            else 'default_large_object'
        end as scope,
        d.defaclnamespace as schema_id,
        null as object_name,
        null as column_name,
        d.defaclrole as owner,
        false as has_owner,
        d.defaclacl as acl,
        pg_catalog.acldefault('c', d.defaclrole) as default_acl,
        '' as traits
    from pg_catalog.pg_default_acl as d
),

encoding as (
    select pg_catalog.getdatabaseencoding() operator(pg_catalog.=) 'SQL_ASCII' as is_none
)

select
    o.scope,
    case when e.is_none then pg_catalog.textsend(n.nspname::pg_catalog.text) else pg_catalog.convert_to(n.nspname, 'UTF8') end
        as schema_name,
    case when e.is_none then pg_catalog.textsend(o.object_name) else pg_catalog.convert_to(o.object_name, 'UTF8') end as object_name,
    case when e.is_none then pg_catalog.textsend(o.column_name) else pg_catalog.convert_to(o.column_name, 'UTF8') end as column_name,
    o.traits,
    r.account_id,
    r.grantor_id,
    r.privileges,
    r.origin,
    r.effect
from objects as o
cross join encoding as e
left join pg_catalog.pg_namespace as n on o.schema_id operator(pg_catalog.=) n.oid
cross join
    lateral (
        select
            o.owner as account_id,
            null::pg_catalog.oid as grantor_id,
            'OWNER' as privileges,
            'ownership' as origin,
            'grant' as effect
        where o.has_owner
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
        where a.grantee operator(pg_catalog.<>) o.owner
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
    ) as r
where r.privileges is not null
