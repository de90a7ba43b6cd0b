-- The size of each named database on disk, by one statement; the guards keep one database from failing the others that is forbidden, or
-- that was dropped since the statement began, for which there are no privileges any more but NULL.
-- Parameters: database_names (text[]).
-- Returns: database_name (bytea), database_id, total_bytes (NULL without the right, or dropped), grant_statement.
-- Source: pg_database_size(oid), every file of it.
select
    textsend(d.datname::text) as database_name,
    d.oid as database_id,
    case
        when has_database_privilege(d.oid, 'CONNECT') is null then null
        when has_database_privilege(d.oid, 'CONNECT') or pg_has_role('pg_read_all_stats', 'USAGE') then pg_database_size(d.oid)
    end as total_bytes,
    format('GRANT CONNECT ON DATABASE %%I TO %%I', d.datname, current_user) as grant_statement
from pg_catalog.pg_database as d
where d.datname = any(%(database_names)s)
