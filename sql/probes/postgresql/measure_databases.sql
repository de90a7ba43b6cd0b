-- The size of each of these databases on disk, by one statement. The privilege is checked first, so that a forbidden database does not fail
-- the others; for one that was dropped since the statement began the check returns NULL.
-- Parameters: database_ids (oid[]).
-- Returns: database_id, is_half_dropped, is_allowed (false if dropped), total_bytes (also NULL without files), quoted_name (bytea),
-- quoted_login (bytea). Source: pg_database_size(oid), every file of it.
with guarded as (
    select
        oid,
        datname,
        datconnlimit,
        pg_catalog.has_database_privilege(oid, 'CONNECT') is not null
        and (pg_catalog.has_database_privilege(oid, 'CONNECT') or pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')) as is_allowed
    from pg_catalog.pg_database
    where oid operator(pg_catalog.=) any(%(database_ids)s::pg_catalog.oid[])
)

select
    oid as database_id,
    datconnlimit operator(pg_catalog.=) -2 as is_half_dropped,
    is_allowed,
    case when is_allowed then pg_catalog.pg_database_size(oid) end as total_bytes,
    pg_catalog.textsend(pg_catalog.quote_ident(datname::pg_catalog.text)) as quoted_name,
    pg_catalog.textsend(pg_catalog.quote_ident(current_user::pg_catalog.text)) as quoted_login
from guarded
