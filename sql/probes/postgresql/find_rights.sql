-- What the login may measure, and its name as quoted in GRANT.
-- Parameters: system_databases (name[]): databases that a cloud service keeps to itself are never measured, and nobody could grant access.
-- Returns: quoted_login (bytea), may_measure, may_measure_shared.
select
    pg_catalog.textsend(pg_catalog.quote_ident(current_user::pg_catalog.text)) as quoted_login,
    pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
    or pg_catalog.bool_and(pg_catalog.has_database_privilege(oid, 'CONNECT')) as may_measure,
    pg_catalog.pg_has_role('pg_monitor', 'USAGE') as may_measure_shared
from pg_catalog.pg_database
where datname operator(pg_catalog.<>) all(%(system_databases)s::pg_catalog.name[])
