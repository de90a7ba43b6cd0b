-- Every role. Whether it has a password is nothing that a monitor may know; settings are told by name, because a value may be secret.
-- Parameters: none.
-- Returns: role_id, role_name (bytea), can_login, is_superuser, inherits, can_create_roles, can_create_databases, can_replicate,
-- bypasses_row_security, connection_limit (-1: none), password_expires_at (seconds since 1970; NULL: never), setting_names (bytea, one a
-- line; NULL: none). Source: view pg_roles, in which the password is masked.
select
    r.oid as role_id,
    pg_catalog.textsend(r.rolname::pg_catalog.text) as role_name,
    r.rolcanlogin as can_login,
    r.rolsuper as is_superuser,
    r.rolinherit as inherits,
    r.rolcreaterole as can_create_roles,
    r.rolcreatedb as can_create_databases,
    r.rolreplication as can_replicate,
    r.rolbypassrls as bypasses_row_security,
    r.rolconnlimit as connection_limit,
    case
        when r.rolvaliduntil operator(pg_catalog.<) '9999-01-01'
            then pg_catalog.date_part('epoch', greatest(r.rolvaliduntil, '1970-01-01'))
    end as password_expires_at,
    pg_catalog.textsend((
        select pg_catalog.string_agg(pg_catalog.split_part(s.setting, '=', 1), E'\n' order by s.setting)
        from pg_catalog.unnest(r.rolconfig) as s (setting)
    )) as setting_names
from pg_catalog.pg_roles as r
